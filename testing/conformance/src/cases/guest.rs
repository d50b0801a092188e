// SPDX-License-Identifier: MIT OR Apache-2.0
//! Guest network services and the ports that they keep: sections 1.2, 2.8 and 2.16.

use hcn_api::{PortAccess, PortProtocol};

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "2.16" a_guest_network_service_comes_back_as_it_was_sent;
    S "2.16" a_guest_network_service_is_listed_and_deleted;
    S "2.16" a_guest_network_service_gets_the_id_of_the_caller;
    S "2.8" a_new_guest_network_service_is_created;
    S "2.16" a_guest_network_service_goes_through_the_states_of_wsl;
    G "2.16" states_may_come_in_any_order settles(53);
    G "2.16" a_state_that_is_none_is_refused settles(69);
    I "2.11" a_guest_network_service_takes_requests_about_its_state_alone;
    G "2.16" an_unknown_guest_network_service_is_not_found settles(67);
    S "2.16" flow_steering_flags_come_back;
    S "1.2" a_port_is_reserved_and_released;
    I "1.2" an_exclusive_port_is_reserved_once;
    I "1.2" a_shared_port_is_reserved_twice;
    I "1.2" ports_of_two_protocols_do_not_meet;
    I "1.2" a_port_of_both_protocols_meets_each;
    S "1.2" a_range_is_one_port_longer_than_asked_for;
    I "1.2" ranges_do_not_overlap;
    S "1.2" reservations_are_listed_with_their_ports;
    G "1.2" port_0_cannot_be_reserved settles(69);
    I "1.2" a_reservation_is_released_once;
    G "1.2" ports_go_with_their_service settles(54);
    G "1.2" a_reserved_port_is_not_mapped settles(70);
};

fn service(scene: &Scene<'_>, members: Value) -> Finding<Guid> {
    let mut document = v2(
        json!({"ID": marked().to_string(), "Name": format!("{PREFIX}guest"), "VirtualMachineId": NOBODY.to_string()}),
    );
    if let (Value::Object(document), Value::Object(members)) = (&mut document, members) {
        document.extend(members);
    }
    let made = scene.try_create(Kind::GuestNetworkService, None, &document);
    works("create a guest network service", made)
}

fn a_guest_network_service_comes_back_as_it_was_sent(scene: &Scene<'_>) -> Finding {
    let own = service(
        scene,
        json!({"MirrorHostNetworking": true, "GnsRpcServerInformation": {"EndpointType": "HvSocket", "ObjectUuid": NOBODY.to_string()}}),
    )?;
    let document = scene.document(Kind::GuestNetworkService, own)?;
    equal(
        "MirrorHostNetworking",
        &document["MirrorHostNetworking"],
        &json!(true),
    )?;
    let machine = text(&document, "VirtualMachineId").to_ascii_lowercase();
    equal("VirtualMachineId", machine, NOBODY.to_string())?;
    equal(
        "EndpointType",
        text(&document["GnsRpcServerInformation"], "EndpointType"),
        "HvSocket",
    )
}

fn a_guest_network_service_is_listed_and_deleted(scene: &Scene<'_>) -> Finding {
    let own = service(scene, json!({}))?;
    let listed = || scene.ids(Kind::GuestNetworkService, "");
    holds("it is listed", listed()?.contains(&own))?;
    works("delete", scene.delete(Kind::GuestNetworkService, own))?;
    holds("it is listed no more", !listed()?.contains(&own))
}

fn a_guest_network_service_gets_the_id_of_the_caller(scene: &Scene<'_>) -> Finding {
    let own = marked();
    let document = v2(json!({"VirtualMachineId": NOBODY.to_string()}));
    let made = scene.try_create_as(own, Kind::GuestNetworkService, None, &document);
    works("create", made)?;
    works("open", scene.open(Kind::GuestNetworkService, own))
}

fn state(scene: &Scene<'_>, own: Guid) -> Finding<Value> {
    Ok(scene.document(Kind::GuestNetworkService, own)?["State"].clone())
}

fn a_new_guest_network_service_is_created(scene: &Scene<'_>) -> Finding {
    let own = service(scene, json!({}))?;
    equal("State", state(scene, own)?, json!(1))
}

fn set_state(scene: &Scene<'_>, own: Guid, word: &str) -> Answer<()> {
    let settings = json!({"State": word});
    scene.modify(Kind::GuestNetworkService, own, "State", "Update", settings)
}

fn a_guest_network_service_goes_through_the_states_of_wsl(scene: &Scene<'_>) -> Finding {
    let own = service(scene, json!({}))?;
    for (word, number) in [("Bootstrapping", 2), ("Synchronized", 3)] {
        works(word, set_state(scene, own, word))?;
        equal("State", state(scene, own)?, json!(number))?;
    }
    Ok(())
}

fn states_may_come_in_any_order(scene: &Scene<'_>) -> Finding {
    let own = service(scene, json!({}))?;
    for word in [
        "Synchronized",
        "Paused",
        "Desynchronized",
        "Rehydrating",
        "Degraded",
        "Bootstrapping",
    ] {
        works(word, set_state(scene, own, word))?;
    }
    Ok(())
}

fn a_state_that_is_none_is_refused(scene: &Scene<'_>) -> Finding {
    let own = service(scene, json!({}))?;
    fails(
        "modify",
        set_state(scene, own, "NoSuchState"),
        HcnCode::E_INVALIDARG,
    )
}

fn a_guest_network_service_takes_requests_about_its_state_alone(scene: &Scene<'_>) -> Finding {
    let own = service(scene, json!({}))?;
    let sent = scene.modify(Kind::GuestNetworkService, own, "Policy", "Add", json!({}));
    fails("modify", sent, HcnCode::HCN_E_REQUEST_UNSUPPORTED)
}

fn an_unknown_guest_network_service_is_not_found(scene: &Scene<'_>) -> Finding {
    let code = HcnCode::ERROR_NOT_FOUND;
    fails("open", scene.open(Kind::GuestNetworkService, NOBODY), code)?;
    fails(
        "delete",
        scene.delete(Kind::GuestNetworkService, NOBODY),
        code,
    )
}

fn flow_steering_flags_come_back(scene: &Scene<'_>) -> Finding {
    let own = service(scene, json!({"Flags": 1}))?;
    let document = scene.document(Kind::GuestNetworkService, own)?;
    equal("Flags", &document["Flags"], &json!(1))
}

fn reserve(
    scene: &Scene<'_>,
    own: Guid,
    protocol: PortProtocol,
    access: PortAccess,
    port: u16,
) -> Answer<u64> {
    let reserved = scene.hns().reserve_port(own, protocol, access, port);
    reserved.map(|reservation| reservation.0)
}

fn exclusive(scene: &Scene<'_>, own: Guid, port: u16) -> Answer<u64> {
    reserve(scene, own, PortProtocol::Tcp, PortAccess::Exclusive, port)
}

fn release(scene: &Scene<'_>, reservation: u64) -> Answer<()> {
    scene
        .hns()
        .release_ports(hcn_api::PortReservation(reservation))
}

fn a_port_is_reserved_and_released(scene: &Scene<'_>) -> Finding {
    let own = service(scene, json!({}))?;
    for _ in 0..2 {
        let reservation = works("reserve", exclusive(scene, own, 18130))?;
        works("release", release(scene, reservation))?;
    }
    Ok(())
}

fn an_exclusive_port_is_reserved_once(scene: &Scene<'_>) -> Finding {
    let own = service(scene, json!({}))?;
    let reservation = works("reserve", exclusive(scene, own, 18131))?;
    let code = HcnCode::HCN_E_PORT_ALREADY_EXISTS;
    fails("reserve again", exclusive(scene, own, 18131), code)?;
    works("release", release(scene, reservation))
}

fn a_shared_port_is_reserved_twice(scene: &Scene<'_>) -> Finding {
    let own = service(scene, json!({}))?;
    let shared = || reserve(scene, own, PortProtocol::Tcp, PortAccess::Shared, 18132);
    let one = works("reserve", shared())?;
    let other = works("reserve again", shared())?;
    works("release", release(scene, one))?;
    works("release the other", release(scene, other))
}

fn ports_of_two_protocols_do_not_meet(scene: &Scene<'_>) -> Finding {
    let own = service(scene, json!({}))?;
    for protocol in [PortProtocol::Tcp, PortProtocol::Udp] {
        works(
            "reserve",
            reserve(scene, own, protocol, PortAccess::Exclusive, 18133),
        )?;
    }
    Ok(())
}

fn a_port_of_both_protocols_meets_each(scene: &Scene<'_>) -> Finding {
    let own = service(scene, json!({}))?;
    let of = |protocol| reserve(scene, own, protocol, PortAccess::Exclusive, 18134);
    works("reserve", of(PortProtocol::Both))?;
    for protocol in [PortProtocol::Tcp, PortProtocol::Udp] {
        fails(
            "reserve again",
            of(protocol),
            HcnCode::HCN_E_PORT_ALREADY_EXISTS,
        )?;
    }
    Ok(())
}

fn a_range_is_one_port_longer_than_asked_for(scene: &Scene<'_>) -> Finding {
    // WSL asks for 4095 ports and asserts that the last is the first and 4095.
    let own = service(scene, json!({}))?;
    let (_, range) = works("reserve", scene.hns().reserve_port_range(own, 4095))?;
    equal("last less first", range.last - range.first, 4095)
}

fn ranges_do_not_overlap(scene: &Scene<'_>) -> Finding {
    let own = service(scene, json!({}))?;
    let (_, one) = works("reserve", scene.hns().reserve_port_range(own, 15))?;
    let (_, other) = works("reserve", scene.hns().reserve_port_range(own, 15))?;
    holds(
        "they have no port in common",
        one.last < other.first || other.last < one.first,
    )
}

fn reservations_are_listed_with_their_ports(scene: &Scene<'_>) -> Finding {
    let own = service(scene, json!({}))?;
    let reservation = works("reserve", exclusive(scene, own, 18135))?;
    let listed = || -> Finding<bool> {
        let entries = works("list", scene.hns().port_reservations())?;
        let is_ours = |entry: &hcn_api::PortRangeEntry| {
            entry.ports.first == 18135
                && entry.ports.last == 18135
                && entry.protocol == PortProtocol::Tcp
        };
        Ok(entries.iter().any(is_ours))
    };
    holds("it is listed", listed()?)?;
    works("release", release(scene, reservation))?;
    holds("it is listed no more", !listed()?)
}

fn port_0_cannot_be_reserved(scene: &Scene<'_>) -> Finding {
    let own = service(scene, json!({}))?;
    fails("reserve", exclusive(scene, own, 0), HcnCode::E_INVALIDARG)
}

fn a_reservation_is_released_once(scene: &Scene<'_>) -> Finding {
    let own = service(scene, json!({}))?;
    let reservation = works("reserve", exclusive(scene, own, 18136))?;
    works("release", release(scene, reservation))?;
    fails(
        "release again",
        release(scene, reservation),
        HcnCode::E_HANDLE,
    )
}

fn ports_go_with_their_service(scene: &Scene<'_>) -> Finding {
    let own = service(scene, json!({}))?;
    works("reserve", exclusive(scene, own, 18137))?;
    works("delete", scene.delete(Kind::GuestNetworkService, own))?;
    let other = service(scene, json!({}))?;
    works("reserve again", exclusive(scene, other, 18137)).map(drop)
}

fn a_reserved_port_is_not_mapped(scene: &Scene<'_>) -> Finding {
    let own = service(scene, json!({}))?;
    works("reserve", exclusive(scene, own, 18138))?;
    let network = scene.network(json!({}))?;
    let mapping = policy(
        "PortMapping",
        json!({"Protocol": 6, "InternalPort": 80, "ExternalPort": 18138}),
    );
    let made = scene.try_endpoint(network, json!({"Policies": [mapping]}));
    fails("create", made, HcnCode::HCN_E_PORT_ALREADY_EXISTS)
}
