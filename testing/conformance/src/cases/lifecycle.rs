// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lives and ends: sections 1.9, 6.3 and 6.4.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use hcn_api::{Listener, Notification};

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "6.4" a_network_goes_with_its_endpoints;
    S "6.4" an_attached_endpoint_can_be_deleted;
    G "5.9" a_namespace_goes_and_its_endpoints_stay settles(26);
    I "6.4" what_is_deleted_is_not_found;
    I "6.3" calls_at_once_do_not_disturb_each_other;
    S "1.9" a_new_network_is_told;
    S "1.9" a_deletion_is_told_before_and_after;
    S "1.9" a_namespace_is_told;
    S "1.9" a_notification_carries_the_flags_of_the_network;
};

/// How long a notification may take.
const WAIT: Duration = Duration::from_secs(10);

fn a_network_goes_with_its_endpoints(scene: &Scene<'_>) -> Finding {
    // TestEndpointStatsAll of hnslib deletes the network while its endpoint exists.
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    works("delete", scene.delete(Kind::Network, network))?;
    let object = ObjectId {
        kind: Kind::Endpoint,
        id: endpoint,
    };
    fails(
        "open",
        scene.hns().open(object),
        HcnCode::HCN_E_ENDPOINT_NOT_FOUND,
    )
}

fn an_attached_endpoint_can_be_deleted(scene: &Scene<'_>) -> Finding {
    let (namespace, endpoint) = scene.attached()?;
    works("delete", scene.delete(Kind::Endpoint, endpoint))?;
    let resources = scene.document(Kind::Namespace, namespace)?["Resources"].clone();
    equal("resources", resources.as_array().map_or(0, Vec::len), 0)
}

fn a_namespace_goes_and_its_endpoints_stay(scene: &Scene<'_>) -> Finding {
    let (namespace, endpoint) = scene.attached()?;
    works("delete", scene.delete(Kind::Namespace, namespace))?;
    works(
        "open",
        scene.hns().open(ObjectId {
            kind: Kind::Endpoint,
            id: endpoint,
        }),
    )?;
    let state = scene.shaped(Kind::Endpoint, endpoint, "")?["State"].clone();
    holds("it is attached no more", state != 2 && state != 3)
}

fn what_is_deleted_is_not_found(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let endpoint = scene.endpoint(network, json!({}))?;
    let namespace = scene.namespace(json!({}))?;
    for (kind, id) in [
        (Kind::Endpoint, endpoint),
        (Kind::Network, network),
        (Kind::Namespace, namespace),
    ] {
        let object = ObjectId { kind, id };
        works("delete", scene.hns().delete(object))?;
        fails("open", scene.hns().open(object), kind.not_found())?;
        fails("delete again", scene.hns().delete(object), kind.not_found())?;
    }
    Ok(())
}

fn calls_at_once_do_not_disturb_each_other(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let document =
        json!({"SchemaVersion": {"Major": 2, "Minor": 0}, "Name": format!("{PREFIX}crowd")})
            .to_string();
    let made: Vec<Finding<Guid>> = thread::scope(|scope| {
        let (hns, document) = (scene.hns(), &document);
        let makers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(move || {
                    let made = hns.create(Kind::Endpoint, Some(network), Guid::ZERO, document);
                    works("create", made)
                })
            })
            .collect();
        makers
            .into_iter()
            .map(|maker| {
                maker
                    .join()
                    .unwrap_or_else(|_| Err("a thread panicked".to_owned().into()))
            })
            .collect()
    });
    let mut addresses = Vec::new();
    for id in made {
        let id = scene.own(Kind::Endpoint, id?);
        let document = scene.document(Kind::Endpoint, id)?;
        addresses.push(document["IpConfigurations"][0]["IpAddress"].to_string());
    }
    addresses.sort();
    addresses.dedup();
    equal("addresses", addresses.len(), 4)
}

/// What is told of one object while something is done.
type Told = mpsc::Receiver<(Notification, Guid, String)>;

fn listen(scene: &Scene<'_>) -> Finding<(hcn_api::Subscription, Told)> {
    let (tell, told) = mpsc::channel();
    let listener: Listener = Arc::new(move |event| {
        // Whoever does not listen any more is told nothing.
        let _ = tell.send((event.notification, event.id, event.data.clone()));
    });
    Ok((works("subscribe", scene.hns().subscribe(listener))?, told))
}

/// The data of a notification about an object.
fn await_told(told: &Told, notification: Notification, id: Guid) -> Finding<String> {
    loop {
        match told.recv_timeout(WAIT) {
            Ok((own, about, data)) if own == notification && about == id => return Ok(data),
            Ok(_) => {}
            Err(_) => return Err(format!("{notification:?} of {id} is not told").into()),
        }
    }
}

fn a_new_network_is_told(scene: &Scene<'_>) -> Finding {
    let (_subscription, told) = listen(scene)?;
    let network = scene.network(json!({}))?;
    await_told(&told, Notification::NetworkCreate, network).map(drop)
}

fn a_deletion_is_told_before_and_after(scene: &Scene<'_>) -> Finding {
    let network = scene.network(json!({}))?;
    let (_subscription, told) = listen(scene)?;
    works("delete", scene.delete(Kind::Network, network))?;
    await_told(&told, Notification::NetworkPreDelete, network)?;
    await_told(&told, Notification::NetworkDelete, network).map(drop)
}

fn a_namespace_is_told(scene: &Scene<'_>) -> Finding {
    let (_subscription, told) = listen(scene)?;
    let namespace = scene.namespace(json!({}))?;
    await_told(&told, Notification::NamespaceCreate, namespace)?;
    works("delete", scene.delete(Kind::Namespace, namespace))?;
    await_told(&told, Notification::NamespaceDelete, namespace).map(drop)
}

fn a_notification_carries_the_flags_of_the_network(scene: &Scene<'_>) -> Finding {
    let (_subscription, told) = listen(scene)?;
    let network = scene.overlay()?;
    let data = await_told(&told, Notification::NetworkCreate, network)?;
    let base: Value = serde_json::from_str(&data).map_err(|error| format!("{data:?}: {error}"))?;
    equal("Flags", base["Flags"].as_u64().unwrap_or(0) & 8, 8)?;
    let own = base["ID"].as_str().unwrap_or_default().to_ascii_lowercase();
    equal("ID", own, network.to_string())
}
