// SPDX-License-Identifier: MIT OR Apache-2.0
//! Namespaces: sections 2.5, 2.8 and 5.9.

use super::kit::*;

pub(super) const CASES: &[Case] = table! {
    S "2.5" a_namespace_of_every_type_is_made_and_deleted;
    S "2.5" a_namespace_without_type_is_one_of_the_host;
    S "2.5" a_default_namespace_can_be_made_again_and_again settles(28);
    S "2.5" an_endpoint_in_a_namespace_is_among_its_resources;
    S "7.3" a_new_namespace_holds_no_container;
    S "2.4" an_endpoint_tells_its_namespace;
    S "2.8" an_attached_endpoint_is_found_by_its_state;
    I "2.8" a_second_container_makes_it_shared;
    S "5.9" the_containers_of_an_endpoint_are_listed;
    I "5.9" an_endpoint_is_in_one_namespace_at_most settles(27);
    G "5.9" taking_out_what_is_not_in_is_not_found settles(78);
    S "7.2" an_endpoint_is_put_in_and_taken_out;
};

fn resources(scene: &Scene<'_>, namespace: Guid, word: &str) -> Finding<Vec<Value>> {
    let document = scene.document(Kind::Namespace, namespace)?;
    let all = document["Resources"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    Ok(all.into_iter().filter(|one| one["Type"] == word).collect())
}

fn a_namespace_of_every_type_is_made_and_deleted(scene: &Scene<'_>) -> Finding {
    for word in ["Host", "HostDefault", "Guest", "GuestDefault"] {
        let namespace = scene.namespace(json!({"Type": word}))?;
        works(word, scene.delete(Kind::Namespace, namespace))?;
    }
    Ok(())
}

fn a_namespace_without_type_is_one_of_the_host(scene: &Scene<'_>) -> Finding {
    for members in [json!({}), json!({"Type": ""})] {
        let namespace = scene.namespace(members)?;
        let word = scene.document(Kind::Namespace, namespace)?["Type"].clone();
        holds("Type is absent, or Host", word.is_null() || word == "Host")?;
    }
    Ok(())
}

fn a_default_namespace_can_be_made_again_and_again(scene: &Scene<'_>) -> Finding {
    for _ in 0..2 {
        let namespace = scene.namespace(json!({"Type": "HostDefault", "NamespaceId": 5}))?;
        works("delete", scene.delete(Kind::Namespace, namespace))?;
    }
    Ok(())
}

fn an_endpoint_in_a_namespace_is_among_its_resources(scene: &Scene<'_>) -> Finding {
    let (namespace, endpoint) = scene.attached()?;
    let found = resources(scene, namespace, "Endpoint")?;
    equal("resources", found.len(), 1)?;
    let data = &found[0]["Data"];
    let id = data["ID"]
        .as_str()
        .or(data["Id"].as_str())
        .unwrap_or_default();
    // AWS compares it with the endpoint's own id as it is written.
    equal(
        "id",
        json!(id),
        scene.document(Kind::Endpoint, endpoint)?["ID"].clone(),
    )
}

fn a_new_namespace_holds_no_container(scene: &Scene<'_>) -> Finding {
    let (namespace, _) = scene.attached()?;
    equal(
        "containers",
        resources(scene, namespace, "Container")?.len(),
        0,
    )
}

fn an_endpoint_tells_its_namespace(scene: &Scene<'_>) -> Finding {
    let (namespace, endpoint) = scene.attached()?;
    let own = scene.document(Kind::Endpoint, endpoint)?["HostComputeNamespace"].clone();
    let own = own.as_str().unwrap_or_default().to_ascii_lowercase();
    equal("HostComputeNamespace", own, namespace.to_string())
}

fn an_attached_endpoint_is_found_by_its_state(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = scene.attached()?;
    let mut found = scene.filtered(Kind::Endpoint, &json!({"State": 2}))?;
    found.extend(scene.filtered(Kind::Endpoint, &json!({"State": 3}))?);
    holds("it is found", found.contains(&endpoint))?;
    let others = scene.filtered(Kind::Endpoint, &json!({"State": 1}))?;
    holds(
        "it is not found as merely created",
        !others.contains(&endpoint),
    )
}

fn a_second_container_makes_it_shared(scene: &Scene<'_>) -> Finding {
    let (namespace, endpoint) = scene.attached()?;
    works("join", scene.join(namespace, "Add", "a"))?;
    equal(
        "State",
        &scene.shaped(Kind::Endpoint, endpoint, "")?["State"],
        &json!(2),
    )?;
    works("join", scene.join(namespace, "Add", "b"))?;
    equal(
        "State",
        &scene.shaped(Kind::Endpoint, endpoint, "")?["State"],
        &json!(3),
    )
}

fn the_containers_of_an_endpoint_are_listed(scene: &Scene<'_>) -> Finding {
    let (namespace, endpoint) = scene.attached()?;
    works("join", scene.join(namespace, "Add", "a"))?;
    let shared = scene.shaped(Kind::Endpoint, endpoint, "")?["SharedContainers"].clone();
    equal("SharedContainers", shared, json!(["a".repeat(64)]))?;
    equal(
        "resources",
        resources(scene, namespace, "Container")?.len(),
        1,
    )
}

fn an_endpoint_is_in_one_namespace_at_most(scene: &Scene<'_>) -> Finding {
    let (namespace, endpoint) = scene.attached()?;
    let other = scene.namespace(json!({}))?;
    for namespace in [namespace, other] {
        let again = scene.attach(namespace, "Add", endpoint);
        fails(
            "add",
            again,
            HcnCode::HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS,
        )?;
    }
    Ok(())
}

fn taking_out_what_is_not_in_is_not_found(scene: &Scene<'_>) -> Finding {
    let (_, endpoint) = scene.attached()?;
    let other = scene.namespace(json!({}))?;
    fails(
        "remove",
        scene.attach(other, "Remove", endpoint),
        HcnCode::ERROR_NOT_FOUND,
    )
}

fn an_endpoint_is_put_in_and_taken_out(scene: &Scene<'_>) -> Finding {
    let (namespace, endpoint) = scene.attached()?;
    works("remove", scene.attach(namespace, "Remove", endpoint))?;
    equal(
        "resources",
        resources(scene, namespace, "Endpoint")?.len(),
        0,
    )?;
    works("add again", scene.attach(namespace, "Add", endpoint))
}
