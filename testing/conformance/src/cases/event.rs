// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an HNS tells unasked: sections 1.2.1 and 1.9; how lives end: section 6.4.

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use hcn_api::{Listener, Notification, Subscription};

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    I "1.9" a_network_is_told_before_it_is_made;
    I "1.9" an_attached_endpoint_is_told;
    I "1.9" a_detached_endpoint_is_told;
    G "1.9" what_is_told_of_an_endpoint_names_it_in_its_data settles(39);
    G "1.9" what_is_told_of_an_endpoint_has_the_id_of_its_network settles(80);
    S "1.9" a_deletion_carries_the_flags_of_the_network;
    S "1.9" what_is_told_is_a_notification_base;
    I "1.9" a_guest_network_service_is_told;
    G "1.9" a_state_of_a_guest_network_service_is_told settles(53);
    I "1.9" who_does_not_listen_any_more_is_told_nothing;
    I "1.9" two_listeners_are_both_told;
    I "1.9" a_network_that_is_refused_is_not_told;
    S "6.4" a_network_with_attached_endpoints_can_be_deleted;
    S "6.4" a_namespace_forgets_the_endpoints_of_a_deleted_network;
    I "6.4" an_endpoint_that_is_attached_by_version_1_can_be_deleted;
    S "6.3" a_list_leaves_out_what_is_gone;
};

/// How long a notification may take.
const WAIT: Duration = Duration::from_secs(10);
/// How long to wait for one that is not to come.
const SILENCE: Duration = Duration::from_millis(400);

type Told = mpsc::Receiver<(Notification, Guid, String)>;

fn listen(scene: &Scene<'_>) -> Finding<(Subscription, Told)> {
    let (tell, told) = mpsc::channel();
    let listener: Listener = Arc::new(move |event| {
        // Whoever does not listen any more is told nothing.
        let _ = tell.send((event.notification, event.id, event.data.clone()));
    });
    Ok((works("subscribe", scene.hns().subscribe(listener))?, told))
}

/// The data of a notification about an object.
fn wait(told: &Told, wanted: Notification, id: Guid) -> Finding<Value> {
    loop {
        match told.recv_timeout(WAIT) {
            Ok((own, about, data)) if own == wanted && about == id => {
                return serde_json::from_str(&data)
                    .map_err(|error| format!("{data:?} is not JSON: {error}").into());
            }
            Ok(_) => {}
            Err(_) => return Err(format!("{wanted:?} of {id} is not told").into()),
        }
    }
}

fn a_network_is_told_before_it_is_made(scene: &Scene<'_>) -> Finding {
    let (_subscription, told) = listen(scene)?;
    let network = scene.network(json!({}))?;
    wait(&told, Notification::NetworkPreCreate, network)?;
    wait(&told, Notification::NetworkCreate, network).map(drop)
}

fn an_attached_endpoint_is_told(scene: &Scene<'_>) -> Finding {
    let (_subscription, told) = listen(scene)?;
    let (_, endpoint) = scene.attached()?;
    wait(&told, Notification::NetworkEndpointAttached, endpoint).map(drop)
}

fn a_detached_endpoint_is_told(scene: &Scene<'_>) -> Finding {
    let (namespace, endpoint) = scene.attached()?;
    let (_subscription, told) = listen(scene)?;
    works("remove", scene.attach(namespace, "Remove", endpoint))?;
    wait(&told, Notification::NetworkEndpointDetached, endpoint).map(drop)
}

/// Attaches an endpoint: its network, itself, and what is told of it.
fn told_of_an_endpoint(scene: &Scene<'_>) -> Finding<(Guid, Guid, Value)> {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let namespace = scene.namespace(json!({}))?;
    let (_subscription, told) = listen(scene)?;
    works("add", scene.attach(namespace, "Add", endpoint))?;
    let base = wait(&told, Notification::NetworkEndpointAttached, endpoint)?;
    Ok((network, endpoint, base))
}

fn what_is_told_of_an_endpoint_names_it_in_its_data(scene: &Scene<'_>) -> Finding {
    let (_, endpoint, base) = told_of_an_endpoint(scene)?;
    equal("ID of Data", id_of(&base["Data"])?, endpoint)
}

fn what_is_told_of_an_endpoint_has_the_id_of_its_network(scene: &Scene<'_>) -> Finding {
    let (network, _, base) = told_of_an_endpoint(scene)?;
    equal("ID", id_of(&base)?, network)
}

fn a_deletion_carries_the_flags_of_the_network(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({"Flags": 9}))?;
    let (_subscription, told) = listen(scene)?;
    works("delete", scene.delete(Kind::Network, network))?;
    let base = wait(&told, Notification::NetworkPreDelete, network)?;
    equal("Flags", &base["Flags"], &json!(9))
}

fn what_is_told_is_a_notification_base(scene: &Scene<'_>) -> Finding {
    let (_subscription, told) = listen(scene)?;
    let network = scene.network(json!({}))?;
    let base = wait(&told, Notification::NetworkCreate, network)?;
    equal("ID", id_of(&base)?, network)?;
    holds("Flags is a number", base["Flags"].is_u64())
}

fn guest(scene: &Scene<'_>) -> Finding<Guid> {
    let document = v2(json!({"ID": marked().to_string(), "VirtualMachineId": NOBODY.to_string()}));
    works(
        "create",
        scene.try_create(Kind::GuestNetworkService, None, &document),
    )
}

fn a_guest_network_service_is_told(scene: &Scene<'_>) -> Finding {
    let (_subscription, told) = listen(scene)?;
    let own = guest(scene)?;
    wait(&told, Notification::GuestNetworkServiceCreate, own)?;
    works("delete", scene.delete(Kind::GuestNetworkService, own))?;
    wait(&told, Notification::GuestNetworkServiceDelete, own).map(drop)
}

fn a_state_of_a_guest_network_service_is_told(scene: &Scene<'_>) -> Finding {
    let own = guest(scene)?;
    let (_subscription, told) = listen(scene)?;
    let settings = json!({"State": "Bootstrapping"});
    works(
        "modify",
        scene.modify(Kind::GuestNetworkService, own, "State", "Update", settings),
    )?;
    let base = wait(&told, Notification::GuestNetworkServiceStateChanged, own)?;
    equal("State", text(&base["Data"], "State"), "Bootstrapping")
}

fn who_does_not_listen_any_more_is_told_nothing(scene: &Scene<'_>) -> Finding {
    let (subscription, told) = listen(scene)?;
    drop(subscription);
    scene.network(json!({}))?;
    holds("nothing is told", told.recv_timeout(SILENCE).is_err())
}

fn two_listeners_are_both_told(scene: &Scene<'_>) -> Finding {
    let (_one, told) = listen(scene)?;
    let (_other, told_too) = listen(scene)?;
    let network = scene.network(json!({}))?;
    wait(&told, Notification::NetworkCreate, network)?;
    wait(&told_too, Notification::NetworkCreate, network).map(drop)
}

fn a_network_that_is_refused_is_not_told(scene: &Scene<'_>) -> Finding {
    let (_subscription, told) = listen(scene)?;
    let own = marked();
    let bad = json!({"ID": own.to_string(), "Ipams": [{"Subnets": [{"IpAddressPrefix": "none"}]}]});
    holds("it is refused", scene.try_network(bad)?.is_err())?;
    let created = std::iter::from_fn(|| told.recv_timeout(SILENCE).ok())
        .any(|(notification, id, _)| notification == Notification::NetworkCreate && id == own);
    holds("its creation is not told", !created)
}

fn a_network_with_attached_endpoints_can_be_deleted(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let namespace = scene.namespace(json!({}))?;
    works("add", scene.attach(namespace, "Add", endpoint))?;
    works("delete", scene.delete(Kind::Network, network))?;
    fails(
        "open",
        scene.open(Kind::Endpoint, endpoint),
        HcnCode::HCN_E_ENDPOINT_NOT_FOUND,
    )
}

fn a_namespace_forgets_the_endpoints_of_a_deleted_network(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let namespace = scene.namespace(json!({}))?;
    works("add", scene.attach(namespace, "Add", endpoint))?;
    works("delete", scene.delete(Kind::Network, network))?;
    equal(
        "resources",
        count(&scene.document(Kind::Namespace, namespace)?["Resources"]),
        0,
    )
}

fn an_endpoint_that_is_attached_by_version_1_can_be_deleted(scene: &Scene<'_>) -> Finding {
    scene.may(HOST)?;
    let network = scene.post_network(json!({}))?;
    let made = scene.post_endpoint(&network, json!({}))?;
    let path = format!("/endpoints/{}", text(&made, "ID"));
    scene.call(
        "POST",
        &format!("{path}/attach"),
        r#"{"SystemType":"Host","CompartmentId":1}"#,
    )?;
    scene.call("DELETE", &path, "").map(drop)
}

fn a_list_leaves_out_what_is_gone(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let one = scene.endpoint(network, json!({}))?;
    let other = scene.endpoint(network, json!({}))?;
    works("delete", scene.delete(Kind::Endpoint, one))?;
    let filter = json!({"VirtualNetwork": network.to_string()});
    equal("ids", scene.filtered(Kind::Endpoint, &filter)?, vec![other])
}
