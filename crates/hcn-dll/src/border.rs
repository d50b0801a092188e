// SPDX-License-Identifier: MIT OR Apache-2.0
//! The seam behind handles.
//!
//! A handle belongs to one object, not to its id: when the object is gone, the handle says so, even if another took the id since.

use std::sync::{Arc, Mutex, PoisonError};

use hcn::{ComputeSystem, ComputeSystems, schema::Guid};
use hcn_api::{
    Answer, HcnCode, Hns, Kind, ObjectId, PortAccess, PortProtocol, PortRange, PortRangeEntry,
    PortReservation,
};

use crate::{
    handles::Handles,
    registration::{Listener, Registration},
};

/// An HNS and the handles of its callers.
pub(crate) struct Border {
    hns: Arc<dyn Hns>,
    compute_systems: ComputeSystems,
    handles: Handles<Held>,
}

/// What a handle leads to.
enum Held {
    Object(Object),
    Callback {
        of: Source,
        /// Taken out once, to end it; absent where nothing is ever told. Locked, since what ends it need not bear being looked at from two
        /// threads.
        registration: Mutex<Option<Registration>>,
    },
    Ports(PortReservation),
    ComputeSystem(ComputeSystem),
}

/// An object as it was when it was opened.
#[derive(Clone, Copy)]
struct Object {
    id: ObjectId,
    /// 0 where the HNS cannot tell.
    identity: u64,
}

/// Whose events a callback is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The service.
    Service,
    /// A guest network service.
    GuestNetworkService,
    /// A compute system.
    ComputeSystem,
}

/// The identity of an object that was deleted before it could be asked; no object has it.
const GONE: u64 = u64::MAX;

impl Border {
    /// An HNS that nobody has a handle to yet.
    pub fn new(hns: Arc<dyn Hns>, compute_systems: ComputeSystems) -> Self {
        Border {
            hns,
            compute_systems,
            handles: Handles::new(),
        }
    }

    /// The HNS, for what needs no handle.
    pub fn hns(&self) -> &dyn Hns {
        &*self.hns
    }

    /// Makes an object and gives its handle.
    pub fn create(
        &self,
        kind: Kind,
        network: Option<u64>,
        id: Guid,
        settings: &str,
    ) -> Answer<u64> {
        let network = network
            .map(|handle| self.living(Kind::Network, handle))
            .transpose()?
            .map(|network| network.id.id);
        let id = self.hns.create(kind, network, id, settings)?;
        let id = ObjectId { kind, id };
        let identity = match self.hns.identity(id) {
            Ok(identity) => identity,
            Err(error) if error.code.is_not_found() => GONE,
            // The object is made, and an error without a handle would say that it is not.
            Err(_) => 0,
        };
        self.handles.give(Held::Object(Object { id, identity }))
    }

    /// Gives a handle to an object.
    pub fn open(&self, id: ObjectId) -> Answer<u64> {
        let identity = self.hns.identity(id)?;
        self.handles.give(Held::Object(Object { id, identity }))
    }

    /// Asks about the object of a handle.
    pub fn query(
        &self,
        kind: Kind,
        handle: u64,
        ask: impl FnOnce(&dyn Hns, ObjectId) -> Answer<String>,
    ) -> Answer<String> {
        let object = self.object(kind, handle)?;
        let answer = ask(&*self.hns, object.id)?;
        // Afterwards: if it lives now, it lived when it was asked about.
        self.check_lives(object)?;
        Ok(answer)
    }

    /// Changes the object of a handle.
    pub fn modify(&self, kind: Kind, handle: u64, settings: &str) -> Answer<()> {
        let object = self.living(kind, handle)?;
        self.hns.modify(object.id, settings)
    }

    /// Closes a handle to an object, whether or not the object is still there.
    pub fn close(&self, kind: Kind, handle: u64) -> Answer<()> {
        self.handles
            .take(handle, |held| held.is_object(kind))
            .map(drop)
    }

    /// Calls back for the events of the service.
    pub fn register_service(&self, listener: Listener) -> Answer<u64> {
        let registration = Registration::start(&*self.hns, listener, |_| true)?;
        self.give_callback(Source::Service, Some(registration))
    }

    /// Calls back for the events of the guest network service of a handle.
    pub fn register_guest(&self, handle: u64, listener: Listener) -> Answer<u64> {
        let object = self.living(Kind::GuestNetworkService, handle)?;
        let registration = Registration::start(&*self.hns, listener, move |event| {
            event.kind == Kind::GuestNetworkService && event.id == object.id.id
        })?;
        self.give_callback(Source::GuestNetworkService, Some(registration))
    }

    /// Ends a registration: see [`Registration::end`].
    pub fn unregister(&self, source: Source, handle: u64) -> Answer<()> {
        let held = self.handles.take(handle, |held| held.is_callback(source))?;
        if let Held::Callback { registration, .. } = &*held {
            let registration = registration
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            if let Some(registration) = registration {
                registration.end();
            }
        }
        Ok(())
    }

    /// Reserves a port.
    pub fn reserve_port(
        &self,
        handle: u64,
        protocol: PortProtocol,
        access: PortAccess,
        port: u16,
    ) -> Answer<u64> {
        let object = self.living(Kind::GuestNetworkService, handle)?;
        let reservation = self
            .hns
            .reserve_port(object.id.id, protocol, access, port)?;
        self.handles.give(Held::Ports(reservation))
    }

    /// Reserves ports that follow each other.
    pub fn reserve_port_range(&self, handle: u64, count: u16) -> Answer<(u64, PortRange)> {
        let object = self.living(Kind::GuestNetworkService, handle)?;
        let (reservation, range) = self.hns.reserve_port_range(object.id.id, count)?;
        Ok((self.handles.give(Held::Ports(reservation))?, range))
    }

    /// Closes a reservation, and succeeds too where it went with its guest network service.
    pub fn release_ports(&self, handle: u64) -> Answer<()> {
        let is_ports = |held: &Held| matches!(held, Held::Ports(_));
        if let Held::Ports(reservation) = *self.handles.find(handle, is_ports)? {
            match self.hns.release_ports(reservation) {
                Err(error) if error.code == HcnCode::E_HANDLE => {}
                // The handle stays, so that its caller can try again.
                other => other?,
            }
        }
        self.handles.take(handle, is_ports).map(drop)
    }

    /// All reservations.
    pub fn port_reservations(&self) -> Answer<Vec<PortRangeEntry>> {
        self.hns.port_reservations()
    }

    /// Gives a handle to a container.
    pub fn open_compute_system(&self, id: &str) -> Answer<u64> {
        let system = self.compute_systems.open(id)?;
        self.handles.give(Held::ComputeSystem(system))
    }

    /// Asks about the container of a handle, or changes what is on it.
    pub fn with_compute_system<T>(
        &self,
        handle: u64,
        ask: impl FnOnce(&ComputeSystems, &ComputeSystem) -> Answer<T>,
    ) -> Answer<T> {
        let held = self.handles.find(handle, Held::is_compute_system)?;
        match &*held {
            Held::ComputeSystem(system) => ask(&self.compute_systems, system),
            _ => Err(hcn_api::HnsError::new(HcnCode::E_HANDLE)),
        }
    }

    /// Closes a handle to a container, whether or not it still runs.
    pub fn close_compute_system(&self, handle: u64) -> Answer<()> {
        self.handles.take(handle, Held::is_compute_system).map(drop)
    }

    /// Takes a callback for the events of a container, of which this HNS tells none.
    pub fn register_compute_system(&self, handle: u64) -> Answer<u64> {
        self.with_compute_system(handle, |_, _| {
            self.give_callback(Source::ComputeSystem, None)
        })
    }

    fn give_callback(&self, of: Source, registration: Option<Registration>) -> Answer<u64> {
        self.handles.give(Held::Callback {
            of,
            registration: Mutex::new(registration),
        })
    }

    fn object(&self, kind: Kind, handle: u64) -> Answer<Object> {
        let held = self.handles.find(handle, |held| held.is_object(kind))?;
        match *held {
            Held::Object(object) => Ok(object),
            _ => Err(hcn_api::HnsError::new(HcnCode::E_HANDLE)),
        }
    }

    /// The object of a handle, which was there a moment ago.
    fn living(&self, kind: Kind, handle: u64) -> Answer<Object> {
        let object = self.object(kind, handle)?;
        self.check_lives(object)?;
        Ok(object)
    }

    fn check_lives(&self, object: Object) -> Answer<()> {
        if object.identity == 0 || self.hns.identity(object.id)? == object.identity {
            Ok(())
        } else {
            Err(object.id.not_found())
        }
    }
}

impl Held {
    fn is_object(&self, kind: Kind) -> bool {
        matches!(self, Held::Object(object) if object.id.kind == kind)
    }

    fn is_compute_system(&self) -> bool {
        matches!(self, Held::ComputeSystem(_))
    }

    fn is_callback(&self, source: Source) -> bool {
        matches!(self, Held::Callback { of, .. } if *of == source)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        env, fs, process,
        sync::atomic::{AtomicBool, Ordering},
    };

    use hcn::{ConnectOptions, Target, connect};
    use hcn_api::{HnsError, Subscription};

    use super::*;

    /// An HNS of one object, which does not answer for it while it is away.
    #[derive(Default)]
    struct Moody {
        away: AtomicBool,
    }

    impl Moody {
        fn answers(&self) -> Answer<()> {
            if self.away.load(Ordering::Relaxed) {
                return Err(HnsError::new(HcnCode::ERROR_SHARING_VIOLATION));
            }
            Ok(())
        }
    }

    impl Hns for Moody {
        fn enumerate(&self, _: Kind, _: &str) -> Answer<String> {
            Ok("[]".to_owned())
        }

        fn create(&self, _: Kind, _: Option<Guid>, id: Guid, _: &str) -> Answer<Guid> {
            Ok(id)
        }

        fn open(&self, _: ObjectId) -> Answer<()> {
            self.answers()
        }

        fn query(&self, _: ObjectId, _: &str) -> Answer<String> {
            Ok("{}".to_owned())
        }

        fn modify(&self, _: ObjectId, _: &str) -> Answer<()> {
            Ok(())
        }

        fn delete(&self, _: ObjectId) -> Answer<()> {
            Ok(())
        }

        fn call(&self, _: &str, _: &str, _: &str) -> Answer<String> {
            Err(HnsError::new(HcnCode::E_NOTIMPL))
        }

        fn reserve_port(
            &self,
            _: Guid,
            _: PortProtocol,
            _: PortAccess,
            _: u16,
        ) -> Answer<PortReservation> {
            Ok(PortReservation(1))
        }

        fn release_ports(&self, _: PortReservation) -> Answer<()> {
            self.answers()
        }

        fn subscribe(&self, _: hcn_api::Listener) -> Answer<Subscription> {
            Err(HnsError::new(HcnCode::E_NOTIMPL))
        }
    }

    /// A border over it; the compute systems are of another HNS, and nobody asks them.
    fn with_border(name: &str, test: impl FnOnce(&Moody, &Border)) {
        let state = env::temp_dir().join(format!("hcn-dll-{name}-{}", process::id()));
        let target = Target::Embedded(Some(state.clone()));
        let connection = connect(&target, ConnectOptions::default()).unwrap();
        let hns = Arc::new(Moody::default());
        test(
            &hns,
            &Border::new(hns.clone(), ComputeSystems::of(&connection)),
        );
        drop(connection);
        fs::remove_dir_all(state).unwrap();
    }

    #[test]
    fn an_object_that_was_made_has_a_handle_even_if_nobody_can_tell_its_identity() {
        with_border("identity", |hns, border| {
            hns.away.store(true, Ordering::Relaxed);
            let handle = border.create(Kind::Network, None, Guid(1), "{}").unwrap();
            // By its id alone (ADR 0005).
            let query = |hns: &dyn Hns, id| hns.query(id, "");
            assert_eq!(border.query(Kind::Network, handle, query).unwrap(), "{}");
        });
    }

    #[test]
    fn a_reservation_that_could_not_be_released_can_be_released_later() {
        with_border("release", |hns, border| {
            let service = border
                .create(Kind::GuestNetworkService, None, Guid(1), "{}")
                .unwrap();
            let (protocol, access) = (PortProtocol::Tcp, PortAccess::Exclusive);
            let handle = border
                .reserve_port(service, protocol, access, 8080)
                .unwrap();
            hns.away.store(true, Ordering::Relaxed);
            let code = |result: Answer<()>| result.unwrap_err().code;
            assert_eq!(
                code(border.release_ports(handle)),
                HcnCode::ERROR_SHARING_VIOLATION
            );
            hns.away.store(false, Ordering::Relaxed);
            border.release_ports(handle).unwrap();
            assert_eq!(code(border.release_ports(handle)), HcnCode::E_HANDLE);
        });
    }
}
