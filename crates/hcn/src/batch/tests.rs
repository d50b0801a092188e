// SPDX-License-Identifier: MIT OR Apache-2.0
//! Batches on an embedded HNS that fails where the test says: what was changed is taken back, and what could not be is said.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use hcn_api::{Hns, Listener, Subscription};
use hcn_schema::policy::{AclAction, AclDirection};
use serde_json::json;

use super::*;
use crate::{
    ConnectOptions, Target, connect,
    declared::{Declared, Rest, Rule, Traffic},
};

/// What an HNS does instead of what it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Says no.
    Refuses,
    /// Says yes and does nothing.
    Swallows,
    /// Does it and says no.
    LosesTheAnswer,
    /// Somebody adds a rule first.
    IsSlower,
    /// The endpoint is gone.
    HasNone,
    /// Does nothing, and no answer comes.
    IsSilent,
}

/// An HNS with faults at some of the changes that it is asked for, counted from 0.
struct Faulty {
    inner: Arc<dyn Hns>,
    asked: AtomicUsize,
    faults: Mutex<Vec<(usize, Fault)>>,
}

impl Hns for Faulty {
    fn enumerate(&self, kind: Kind, query: &str) -> Answer<String> {
        self.inner.enumerate(kind, query)
    }

    fn create(&self, kind: Kind, network: Option<Guid>, id: Guid, settings: &str) -> Answer<Guid> {
        self.inner.create(kind, network, id, settings)
    }

    fn open(&self, object: ObjectId) -> Answer<()> {
        self.inner.open(object)
    }

    fn query(&self, object: ObjectId, query: &str) -> Answer<String> {
        self.inner.query(object, query)
    }

    fn modify(&self, object: ObjectId, settings: &str) -> Answer<()> {
        self.inner.modify(object, settings)
    }

    fn modify_seen(&self, object: ObjectId, seen: &str, settings: &str) -> Answer<bool> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        let fault = self.faults.lock().unwrap();
        let fault = fault.iter().find(|(at, _)| *at == number);
        let no = || Err(HnsError::new(HcnCode::E_UNEXPECTED));
        match fault.map(|(_, fault)| *fault) {
            None => self.inner.modify_seen(object, seen, settings),
            Some(Fault::Refuses) => no(),
            Some(Fault::Swallows) => Ok(true),
            Some(Fault::LosesTheAnswer) => {
                self.inner.modify_seen(object, seen, settings)?;
                no()
            }
            Some(Fault::IsSlower) => {
                self.inner.modify(object, &theirs())?;
                self.inner.modify_seen(object, seen, settings)
            }
            Some(Fault::IsSilent) => Err(HnsError::new(HcnCode::RPC_S_SERVER_UNAVAILABLE)),
            Some(Fault::HasNone) => {
                self.inner.delete(object)?;
                self.inner.modify_seen(object, seen, settings)
            }
        }
    }

    fn delete(&self, object: ObjectId) -> Answer<()> {
        self.inner.delete(object)
    }

    fn call(&self, method: &str, path: &str, request: &str) -> Answer<String> {
        self.inner.call(method, path, request)
    }

    fn subscribe(&self, listener: Listener) -> Answer<Subscription> {
        self.inner.subscribe(listener)
    }
}

fn theirs() -> String {
    json!({"ResourceType": "Policy", "RequestType": "Add", "Settings": {"Policies": [
        {"Type": "ACL", "Settings": {"Action": "Allow", "Direction": "In", "Priority": 77, "Id": "theirs"}}]}})
    .to_string()
}

/// Three endpoints, each with a rule of somebody else's before one of the policy's, and the batch that replaces the latter.
struct Scene {
    folder: std::path::PathBuf,
    faulty: Arc<Faulty>,
    client: Client,
    ids: Vec<Guid>,
}

impl Scene {
    fn new(name: &str) -> Scene {
        let folder = std::env::temp_dir().join(format!("hcn-batch-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let target = Target::Embedded(Some(folder.clone()));
        let connection = connect(&target, ConnectOptions::default()).unwrap();
        let faulty = Arc::new(Faulty {
            inner: connection.hns(),
            asked: AtomicUsize::new(0),
            faults: Mutex::default(),
        });
        let client = Client::new(faulty.clone());
        let network = client
            .create_network(r#"{"SchemaVersion": {"Major": 2}, "Name": "nat"}"#)
            .unwrap();
        let policies = json!([
            {"Type": "ACL", "Settings": {"Action": "Block", "Direction": "In", "Priority": 9, "Id": "hcnctl:apply:web:old"}},
            {"Type": "ACL", "Settings": {"Action": "Allow", "Direction": "Out", "Priority": 300, "Mystery": true}},
        ]);
        let document = json!({"SchemaVersion": {"Major": 2}, "Policies": policies}).to_string();
        let ids = (0..3)
            .map(|_| client.create_endpoint(network, &document).unwrap())
            .collect();
        Scene {
            folder,
            faulty,
            client,
            ids,
        }
    }

    /// The faults of what is asked from now on.
    fn fails(&self, faults: &[(usize, Fault)]) {
        self.faulty.asked.store(0, Ordering::SeqCst);
        *self.faulty.faults.lock().unwrap() = faults.to_vec();
    }

    fn steps(&self) -> Vec<Step> {
        let policy = Declared {
            name: "web".to_owned(),
            rules: vec![Rule {
                name: "no-http".to_owned(),
                action: AclAction::Block,
                direction: AclDirection::In,
                traffic: vec![Traffic {
                    protocol: Some(6),
                    ports: Some((80, 80)),
                }],
                peers: None,
                priority: 2500,
            }],
            rest_in: Rest::Allow,
            rest_out: Rest::Allow,
        };
        let step = |id: &Guid| {
            let seen = self
                .client
                .hns()
                .query(object(*id), &Query::v2().text())
                .unwrap();
            let endpoint = endpoint(&seen).unwrap();
            let plan = policy.plan(&endpoint);
            Step::of(*id, seen, &endpoint, plan).unwrap()
        };
        self.ids.iter().map(step).collect()
    }

    /// The rules of each endpoint as HNS keeps them.
    fn rules(&self) -> Vec<Vec<Policy>> {
        let rules = |id: &Guid| {
            let endpoint = self.client.endpoint(*id).unwrap();
            replaced(&endpoint).cloned().collect()
        };
        self.ids.iter().map(rules).collect()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn undos(steps: &[Step]) -> Vec<Undo> {
    steps.iter().map(Step::undo).collect()
}

#[test]
fn a_batch_is_a_call_and_a_list_of_rules_for_each_endpoint() {
    let scene = Scene::new("whole");
    let tally = carry_out(&scene.client, &scene.steps()).unwrap();
    // Theirs and the block: two rules of each endpoint.
    assert_eq!(tally, Tally { calls: 3, rules: 6 });
    assert_eq!(scene.faulty.asked.load(Ordering::SeqCst), 3);
}

#[test]
fn whatever_fails_at_whichever_endpoint_all_of_them_are_as_they_were() {
    for fault in [Fault::Refuses, Fault::Swallows, Fault::LosesTheAnswer] {
        for place in 0..3 {
            let scene = Scene::new("fails");
            let (before, steps) = (scene.rules(), scene.steps());
            scene.fails(&[(place, fault)]);
            let broken = carry_out(&scene.client, &steps).unwrap_err();
            assert_eq!(broken.id, scene.ids[place], "{fault:?} at {place}");
            assert!(broken.error.is_some(), "{fault:?} at {place}");
            scene.fails(&[]);
            let undone = take_back(&scene.client, &undos(&steps)[..broken.begun]);
            assert!(
                undone
                    .iter()
                    .all(|(_, undone)| matches!(undone, Undone::Back | Undone::Untouched)),
                "{fault:?} at {place}: {undone:?}"
            );
            assert_eq!(scene.rules(), before, "{fault:?} at {place}");
        }
    }
}

#[test]
fn an_endpoint_that_somebody_changed_is_not_overwritten() {
    let scene = Scene::new("slower");
    let steps = scene.steps();
    scene.fails(&[(1, Fault::IsSlower)]);
    let broken = carry_out(&scene.client, &steps).unwrap_err();
    assert!(broken.error.is_none());
    assert_eq!((broken.id, broken.begun), (scene.ids[1], 1));
    let ids: Vec<String> = scene.rules()[1].iter().map(id_of).collect();
    assert_eq!(ids, ["hcnctl:apply:web:old", "", "theirs"]);
}

fn id_of(policy: &Policy) -> String {
    policy
        .settings_as::<hcn_schema::policy::Acl>()
        .id
        .or_default()
}

#[test]
fn an_undo_that_fails_is_told_and_does_not_keep_the_others_from_being_taken_back() {
    let scene = Scene::new("undo");
    let (before, steps) = (scene.rules(), scene.steps());
    carry_out(&scene.client, &steps).unwrap();
    for fault in [Fault::Refuses, Fault::Swallows] {
        // The last endpoint is the first to be taken back.
        scene.fails(&[(0, fault)]);
        let undone = take_back(&scene.client, &undos(&steps)[..]);
        assert_eq!(undone[0].0, scene.ids[2]);
        assert!(matches!(undone[0].1, Undone::Failed(_)), "{undone:?}");
        assert!(
            !undone[1..]
                .iter()
                .any(|(_, undone)| matches!(undone, Undone::Failed(_)))
        );
        assert_eq!(scene.rules()[..2], before[..2]);
        assert_ne!(scene.rules()[2], before[2]);
    }
    scene.fails(&[]);
    take_back(&scene.client, &undos(&steps));
    assert_eq!(scene.rules(), before);
}

#[test]
fn an_hns_that_answers_no_more_is_not_asked_for_every_endpoint() {
    let scene = Scene::new("silent");
    let (before, steps) = (scene.rules(), scene.steps());
    carry_out(&scene.client, &steps).unwrap();
    let failed = |undone: &[(Guid, Undone)]| -> Vec<bool> {
        let failed = undone.iter();
        failed
            .map(|(_, undone)| matches!(undone, Undone::Failed(_)))
            .collect()
    };
    // One answer may be lost on the way.
    scene.fails(&[(0, Fault::IsSilent)]);
    let undone = take_back(&scene.client, &undos(&steps));
    assert_eq!(failed(&undone), [true, false, false]);
    assert_eq!(scene.faulty.asked.load(Ordering::SeqCst), 3);
    scene.fails(&[]);
    take_back(&scene.client, &undos(&steps));
    assert_eq!(scene.rules(), before);
    carry_out(&scene.client, &scene.steps()).unwrap();
    scene.fails(&[(0, Fault::IsSilent), (1, Fault::IsSilent)]);
    let undone = take_back(&scene.client, &undos(&steps));
    assert_eq!(failed(&undone), [true, true, true]);
    assert_eq!(scene.faulty.asked.load(Ordering::SeqCst), 2);
}

#[test]
fn an_undo_brings_back_the_order_of_rules_and_leaves_other_policies_alone() {
    let scene = Scene::new("order");
    let object = object(scene.ids[0]);
    let mapping = json!({"ResourceType": "Policy", "RequestType": "Add", "Settings": {"Policies": [
        {"Type": "PortMapping", "Settings": {"Protocol": 6, "InternalPort": 80, "ExternalPort": 8080}}]}});
    scene
        .client
        .hns()
        .modify(object, &mapping.to_string())
        .unwrap();
    let all = || {
        let endpoint = scene.client.endpoint(scene.ids[0]).unwrap();
        endpoint.policies.or_default()
    };
    let is_mapping = |policy: &Policy| policy.is("PortMapping");
    let (before, steps) = (all(), scene.steps());
    assert_eq!(before.iter().position(is_mapping), Some(2));
    carry_out(&scene.client, &steps).unwrap();
    let undone = take_back(&scene.client, &undos(&steps));
    assert!(matches!(undone[2].1, Undone::Back), "{undone:?}");
    // An Update puts what it is sent behind what it leaves.
    let after = all();
    assert_eq!(after[0], before[2]);
    assert_eq!(after[1..], before[..2]);
}

#[test]
fn what_others_did_after_the_change_outlives_its_undo() {
    let scene = Scene::new("merged");
    let steps = scene.steps();
    carry_out(&scene.client, &steps).unwrap();
    scene.fails(&[(0, Fault::IsSlower)]);
    let undone = take_back(&scene.client, &undos(&steps));
    assert!(matches!(undone[0].1, Undone::Merged), "{undone:?}");
    let ids: Vec<String> = scene.rules()[2].iter().map(id_of).collect();
    assert_eq!(ids, ["", "theirs", "hcnctl:apply:web:old"]);
}

#[test]
fn an_endpoint_that_is_gone_needs_no_undo() {
    let scene = Scene::new("gone");
    let steps = scene.steps();
    scene.fails(&[(2, Fault::HasNone)]);
    let broken = carry_out(&scene.client, &steps).unwrap_err();
    assert!(broken.error.is_some_and(|error| error.code.is_not_found()));
    let undone = take_back(&scene.client, &undos(&steps));
    assert!(matches!(undone[0].1, Undone::Gone), "{undone:?}");
    assert!(matches!(undone[2].1, Undone::Back), "{undone:?}");
}

#[test]
fn an_undo_that_was_written_down_is_read_back_whole() {
    let scene = Scene::new("written");
    for undo in undos(&scene.steps()) {
        let text = undo.to_value().to_string();
        assert_eq!(
            Undo::from_value(&serde_json::from_str(&text).unwrap()),
            Some(undo)
        );
    }
    assert_eq!(Undo::from_value(&json!({"endpoint": "x"})), None);
}
