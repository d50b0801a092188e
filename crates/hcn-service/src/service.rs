// SPDX-License-Identifier: MIT OR Apache-2.0
//! The embedded HNS: the seam over the store.
//!
//! Calls are serialised, as HNS's own are (hns-behaviour 6.3): within a process by a lock, between processes by SQLite's.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hcn_api::{
    Answer, Event, HcnCode, Hns, HnsError, HnsVersion, Kind, Listener, ObjectId, PortAccess,
    PortProtocol, PortRange, PortRangeEntry, PortReservation, Subscription,
};
use hcn_engine::{DataPlane, Documents, Switch};
use hcn_schema::Guid;
use serde_json::{Value, json};

use crate::{
    call,
    change::Change,
    container::{Container, NewContainer, NewEndpoint},
    endpoint::{self, EndpointRecord, attach},
    guest_network_service,
    listeners::Listeners,
    load, load_balancer, namespace, network, port_reservation,
    profile::{self, Profile, Switches},
    query, sdn_route,
    sources::{Clock, Ids, RandomIds, SystemClock},
    store::{Fresh, Holder, Moment, Operation, Store, View},
    watch::Watch,
};

/// How a service is opened.
pub struct Options {
    /// Directory of the store; made where it is missing.
    pub state: PathBuf,
    /// Version of HNS; `None` means the store's own, or 15.0 for a new store.
    pub version: Option<HnsVersion>,
    /// Switches of the profile that are set otherwise than the version has them, for as long as it is open.
    pub switches: Switches,
    /// Who asks, for the operation log.
    pub actor: String,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// What every change has to become true in before it is committed.
    pub data_plane: Option<Box<dyn DataPlane>>,
}

impl Options {
    /// The usual way: the computer's clock, random ids, no data plane.
    pub fn new(state: impl Into<PathBuf>) -> Self {
        Options {
            state: state.into(),
            version: None,
            switches: Switches::default(),
            actor: "hcn-service".to_owned(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            data_plane: None,
        }
    }
}

/// The embedded HNS.
pub struct Service {
    store: Mutex<Store>,
    profile: Profile,
    actor: String,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    listeners: Listeners,
    watch: Watch,
    /// Marks the events and the port reservations of this service among those of all processes on the store.
    teller: u64,
    /// Of the port reservations that were made here, which end with it; there from the first one on.
    holder: Mutex<Option<Holder>>,
    data_plane: Option<Mutex<Box<dyn DataPlane>>>,
}

impl Service {
    /// Opens the store of a state directory.
    ///
    /// # Errors
    /// Those of the store (`ERROR_WRONG_DISK`, `E_ACCESSDENIED`, …), or `E_INVALIDARG` for a version without a profile.
    pub fn open(options: Options) -> Answer<Service> {
        let wanted = options.version.map(Profile::of).transpose()?;
        let version = wanted
            .as_ref()
            .map_or(profile::DEFAULT, |profile| profile.version);
        let seed = options.ids.guid().0 as u64;
        let fresh = Fresh { version, seed };
        let store = Store::open(&options.state, fresh)?;
        let profile = match wanted {
            Some(profile) => profile,
            None => Profile::of(store.version)?,
        };
        let profile = profile.with(&options.switches);
        // Not from the given ids, which may repeat from process to process.
        let teller = RandomIds.guid().0 as u64;
        let listeners = Listeners::default();
        let watch = Watch::new(options.state, fresh, teller, listeners.clone());
        Ok(Service {
            store: Mutex::new(store),
            profile,
            actor: options.actor,
            clock: options.clock,
            ids: options.ids,
            listeners,
            watch,
            teller,
            holder: Mutex::default(),
            data_plane: options.data_plane.map(Mutex::new),
        })
    }

    /// How this HNS behaves.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Version of HNS that the store was made for.
    pub fn store_version(&self) -> HnsVersion {
        self.lock().version
    }

    /// Asks SQLite for every fault it can find in the store.
    ///
    /// # Errors
    /// `ERROR_FILE_CORRUPT` with the first fault.
    pub fn check_store(&self) -> Answer<()> {
        self.lock().check()
    }

    /// Everything that a switch is made from.
    ///
    /// # Errors
    /// What the store says.
    pub fn documents(&self) -> Answer<Documents> {
        self.view(load::documents)
    }

    /// The last operations, oldest first; of one object where given.
    ///
    /// # Errors
    /// What the store says.
    pub fn history(&self, object: Option<ObjectId>, most: usize) -> Answer<Vec<Operation>> {
        self.view(|view| view.operations(object, most))
    }

    /// Number of the last operation; 0 where there was none.
    ///
    /// # Errors
    /// What the store says.
    pub fn last_operation(&self) -> Answer<u64> {
        self.view(|view| view.last_operation())
    }

    /// What there was right after an operation.
    ///
    /// # Errors
    /// What the store says.
    pub fn moment(&self, operation: u64) -> Answer<Moment> {
        self.view(|view| view.moment(operation))
    }

    /// Number of the last event of all processes on the store; 0 where there was none.
    ///
    /// # Errors
    /// What the store says.
    pub fn last_event(&self) -> Answer<u64> {
        self.view(|view| view.last_event())
    }

    /// The events of all processes on the store after a number, oldest first, each with its own number.
    ///
    /// # Errors
    /// What the store says.
    pub fn events_since(&self, number: u64) -> Answer<Vec<(u64, Event)>> {
        self.view(|view| {
            let told = view.told_since(number)?;
            Ok(told
                .into_iter()
                .map(|told| (told.number, told.event))
                .collect())
        })
    }

    /// All simulated containers, oldest first.
    ///
    /// # Errors
    /// What the store says.
    pub fn containers(&self) -> Answer<Vec<Container>> {
        self.view(|view| view.containers())
    }

    /// Makes a simulated container, with its endpoint and its namespace where it gets new ones, in one change.
    ///
    /// # Errors
    /// `ERROR_ALREADY_EXISTS` for a name or an id in use; `HCN_E_ENDPOINT_NOT_FOUND` for one to adopt; else those of creating and attaching.
    /// Nothing was made then.
    pub fn run_container(&self, wanted: &NewContainer) -> Answer<Container> {
        wanted.refuse_bad_name()?;
        let request = match &wanted.endpoint {
            NewEndpoint::Made { settings, .. } => settings.clone(),
            NewEndpoint::Adopted(endpoint) => format!("container {} on {endpoint}", wanted.name),
        };
        self.change(&request, |change| {
            if change.view.container(&wanted.name)?.is_some() {
                let detail = format!("there is a container {:?} already", wanted.name);
                return Err(HnsError::at(HcnCode::ERROR_ALREADY_EXISTS, "name", detail));
            }
            let id = match &wanted.id {
                Some(id) => id.clone(),
                None => format!("{:032x}{:032x}", change.ids.guid().0, change.ids.guid().0),
            };
            if change.view.containers()?.iter().any(|other| other.id == id) {
                let detail = format!("there is a container with the id {id:?} already");
                return Err(HnsError::at(HcnCode::ERROR_ALREADY_EXISTS, "id", detail));
            }
            let (endpoint, namespace) = match &wanted.endpoint {
                NewEndpoint::Made {
                    network,
                    settings,
                    namespace,
                } => {
                    let endpoint = endpoint::create(change, *network, Guid::ZERO, settings)?;
                    let namespace = join(change, endpoint, namespace.as_deref(), &id)?;
                    (endpoint, namespace)
                }
                NewEndpoint::Adopted(endpoint) => {
                    let record: EndpointRecord = change.view.load(*endpoint)?;
                    (record.id, record.namespace_id())
                }
            };
            let container = Container {
                name: wanted.name.clone(),
                id,
                endpoint,
                namespace,
                listeners: wanted.listeners.clone(),
                created_ms: change.clock.now_ms(),
                adopted: matches!(wanted.endpoint, NewEndpoint::Adopted(_)),
            };
            change.view.add_container(&container)?;
            Ok(container)
        })
    }

    /// Removes a simulated container with its endpoint and its namespace, unless it adopted them; what is gone already is no error.
    ///
    /// # Errors
    /// `ERROR_NOT_FOUND` where there is no container of that name.
    pub fn remove_container(&self, name: &str) -> Answer<Container> {
        self.change(&format!("remove container {name}"), |change| {
            let container = change
                .view
                .container(name)?
                .ok_or_else(|| Container::not_found(name))?;
            if !container.adopted {
                ignore_missing(endpoint::delete(change, container.endpoint))?;
                if let Some(namespace) = container.namespace {
                    ignore_missing(namespace::delete(change, namespace))?;
                }
            }
            change.view.remove_container(name)?;
            Ok(container)
        })
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        // A panic while the lock was held rolled its transaction back, so the store is whole.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number by which reservations are this service's, which is known to live from now on.
    fn hold(&self, view: &View<'_>) -> Answer<u64> {
        let mut holder = self.holder.lock().unwrap_or_else(PoisonError::into_inner);
        if holder.is_none() {
            *holder = Some(view.holder(self.teller)?);
        }
        Ok(self.teller)
    }

    /// Reads: everything is seen as of one moment.
    pub(crate) fn view<T>(&self, read: impl FnOnce(&View<'_>) -> Answer<T>) -> Answer<T> {
        let mut store = self.lock();
        let view = store.read()?;
        read(&view)
    }

    /// Changes: all or nothing, durable when this returns.
    pub(crate) fn change<T>(
        &self,
        request: &str,
        make: impl FnOnce(&mut Change<'_>) -> Answer<T>,
    ) -> Answer<T> {
        let (result, events) = {
            let mut store = self.lock();
            let seed = store.seed;
            let mut change = Change {
                view: store.write()?,
                profile: &self.profile,
                ids: &*self.ids,
                clock: &*self.clock,
                seed,
                actor: &self.actor,
                request: request.to_owned(),
                events: Vec::new(),
            };
            let result = make(&mut change)?;
            let Change { view, events, .. } = change;
            for event in &events {
                view.tell(self.teller, event)?;
            }
            match &self.data_plane {
                None => view.commit()?,
                Some(data_plane) => self.converge(view, data_plane)?,
            }
            (result, events)
        };
        // Outside the lock, so that a listener may call the service.
        self.listeners.tell(&events);
        Ok(result)
    }

    /// Lets the data plane become as the change wants it, then commits; back again where the commit fails.
    fn converge(&self, view: View<'_>, data_plane: &Mutex<Box<dyn DataPlane>>) -> Answer<()> {
        let documents = load::documents(&view)?;
        let semantics = &self.profile.semantics;
        let mut data_plane = data_plane.lock().unwrap_or_else(PoisonError::into_inner);
        let before = data_plane.observe();
        let (switch, _) = match &before {
            Some(before) => before.compile_next(&documents, semantics),
            None => Switch::compile(&documents, semantics),
        };
        let failed = |error: hcn_engine::DataPlaneError| {
            HnsError::because(
                HcnCode::E_FAIL,
                format!("the data plane cannot do it, and nothing was changed: {error}"),
            )
        };
        data_plane.converge(Arc::new(switch)).map_err(failed)?;
        view.commit().map_err(|error| {
            if let Some(before) = before
                && let Err(second) = data_plane.converge(before)
            {
                return HnsError::because(
                    error.code,
                    format!("{error}; and the data plane would not go back: {second}"),
                );
            }
            error
        })
    }
}

fn ignore_missing(result: Answer<()>) -> Answer<()> {
    match result {
        Err(error) if error.code.is_not_found() => Ok(()),
        other => other,
    }
}

/// Attaches a container to its new endpoint: in a namespace of its own, or by the v1 API.
fn join(
    change: &mut Change<'_>,
    endpoint: Guid,
    namespace: Option<&str>,
    container: &str,
) -> Answer<Option<Guid>> {
    let Some(settings) = namespace else {
        let request = json!({"ContainerId": container, "SystemType": "Container"});
        change.request = request.to_string();
        let request = hcn_schema::Document::from_value(&request).unwrap_or_default();
        attach::attach(change, endpoint, &request)?;
        return Ok(None);
    };
    change.request = settings.to_owned();
    let namespace = namespace::create(change, Guid::ZERO, settings)?;
    namespace::add_endpoint(change, namespace, endpoint)?;
    let request = json!({"ResourceType": "Container", "RequestType": "Add", "Settings": {"ContainerId": container}}).to_string();
    change.request.clone_from(&request);
    namespace::modify(change, namespace, &request)?;
    Ok(Some(namespace))
}

/// Changes an object by its kind.
fn modify(change: &mut Change<'_>, object: ObjectId, settings: &str) -> Answer<()> {
    match object.kind {
        Kind::Network => network::modify(change, object.id, settings),
        Kind::Endpoint => endpoint::modify(change, object.id, settings),
        Kind::Namespace => namespace::modify(change, object.id, settings),
        Kind::LoadBalancer => load_balancer::modify(change, object.id, settings),
        Kind::SdnRoute => sdn_route::modify(change, object.id),
        Kind::GuestNetworkService => guest_network_service::modify(change, object.id, settings),
    }
}

impl Drop for Service {
    /// A reservation ends with its holder; one that cannot be taken away now counts no more.
    fn drop(&mut self) {
        let holder = self
            .holder
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if holder.is_some() {
            let _ = self.change("", |change| change.view.release_reserved_by(self.teller));
        }
    }
}

impl Hns for Service {
    fn enumerate(&self, kind: Kind, query: &str) -> Answer<String> {
        let asked = query::read(query)?;
        self.view(|view| {
            let ids = if asked.filter.is_empty() {
                view.ids(kind)?
            } else {
                asked
                    .rows(view, kind)?
                    .into_iter()
                    .map(|row| row.id)
                    .collect()
            };
            Ok(
                Value::from(ids.into_iter().map(|id| id.to_string()).collect::<Vec<_>>())
                    .to_string(),
            )
        })
    }

    fn create(&self, kind: Kind, network: Option<Guid>, id: Guid, settings: &str) -> Answer<Guid> {
        self.change(settings, |change| match kind {
            Kind::Network => network::create(change, id, settings),
            Kind::Endpoint => {
                let network = network.ok_or_else(|| {
                    HnsError::because(HcnCode::E_INVALIDARG, "an endpoint needs a network")
                })?;
                endpoint::create(change, network, id, settings)
            }
            Kind::Namespace => namespace::create(change, id, settings),
            Kind::LoadBalancer => load_balancer::create(change, id, settings),
            Kind::SdnRoute => sdn_route::create(change, id, settings),
            Kind::GuestNetworkService => guest_network_service::create(change, id, settings),
        })
    }

    fn open(&self, object: ObjectId) -> Answer<()> {
        let exists = self.view(|view| view.exists(object))?;
        if exists {
            Ok(())
        } else {
            Err(object.not_found())
        }
    }

    fn identity(&self, object: ObjectId) -> Answer<u64> {
        self.view(|view| view.sequence(object))
    }

    fn query(&self, object: ObjectId, query: &str) -> Answer<String> {
        let asked = query::read(query)?;
        self.view(|view| asked.answer(&query::V1::of(view), object.kind, view.row(object)?))
    }

    fn modify(&self, object: ObjectId, settings: &str) -> Answer<()> {
        self.change(settings, |change| modify(change, object, settings))
    }

    fn modify_seen(&self, object: ObjectId, seen: &str, settings: &str) -> Answer<bool> {
        self.change(settings, |change| {
            if change.view.row(object)?.document != seen {
                return Ok(false);
            }
            modify(change, object, settings).map(|()| true)
        })
    }

    fn delete(&self, object: ObjectId) -> Answer<()> {
        self.change("", |change| match object.kind {
            Kind::Network => network::delete(change, object.id),
            Kind::Endpoint => endpoint::delete(change, object.id),
            Kind::Namespace => namespace::delete(change, object.id),
            Kind::LoadBalancer => load_balancer::delete(change, object.id),
            Kind::SdnRoute => sdn_route::delete(change, object.id),
            Kind::GuestNetworkService => guest_network_service::delete(change, object.id),
        })
    }

    fn call(&self, method: &str, path: &str, request: &str) -> Answer<String> {
        call::call(self, method, path, request)
    }

    fn list(&self, kind: Kind, query: &str) -> Answer<Vec<String>> {
        let asked = query::read(query)?;
        self.view(|view| {
            if asked.is_everything() {
                return view.documents(kind);
            }
            let documents = query::V1::of(view);
            asked
                .rows(view, kind)?
                .into_iter()
                .map(|row| asked.answer(&documents, kind, row))
                .collect()
        })
    }

    fn reserve_port(
        &self,
        guest_network_service: Guid,
        protocol: PortProtocol,
        access: PortAccess,
        port: u16,
    ) -> Answer<PortReservation> {
        self.change("", |change| {
            let holder = self.hold(&change.view)?;
            port_reservation::port(
                change,
                holder,
                guest_network_service,
                protocol,
                access,
                port,
            )
        })
    }

    fn reserve_port_range(
        &self,
        guest_network_service: Guid,
        count: u16,
    ) -> Answer<(PortReservation, PortRange)> {
        self.change("", |change| {
            let holder = self.hold(&change.view)?;
            port_reservation::range(change, holder, guest_network_service, count)
        })
    }

    fn release_ports(&self, reservation: PortReservation) -> Answer<()> {
        self.change("", |change| port_reservation::release(change, reservation))
    }

    fn port_reservations(&self) -> Answer<Vec<PortRangeEntry>> {
        self.view(port_reservation::entries)
    }

    fn subscribe(&self, listener: Listener) -> Answer<Subscription> {
        let left = self.watch.start()?;
        Ok(self.listeners.add(listener, left))
    }
}
