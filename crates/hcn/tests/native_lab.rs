// SPDX-License-Identifier: MIT OR Apache-2.0
//! Containers beside an HNS that keeps none: as a whole or not at all, whatever request fails and whoever dies.

use std::{
    env, fs,
    path::PathBuf,
    process,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use hcn::{
    Answer, HcnCode, Hns, HnsError, Kind, Lab, Listener, ObjectId, Subscription,
    lab::NativeLab,
    schema::Guid,
    service::{ListenPort, NewContainer, NewEndpoint, Options, RandomIds, Service, SystemClock},
};

const V2: &str = r#"{"SchemaVersion":{"Major":2,"Minor":0}}"#;

/// An HNS whose changes fail from one on, for so many.
struct Failing {
    inner: Arc<dyn Hns>,
    changes: AtomicUsize,
    first: usize,
    count: usize,
}

impl Failing {
    fn change(&self) -> Answer<()> {
        let number = self.changes.fetch_add(1, Ordering::Relaxed);
        if number >= self.first && number - self.first < self.count {
            return Err(HnsError::new(HcnCode::E_FAIL));
        }
        Ok(())
    }
}

impl Hns for Failing {
    fn enumerate(&self, kind: Kind, query: &str) -> Answer<String> {
        self.inner.enumerate(kind, query)
    }

    fn create(&self, kind: Kind, network: Option<Guid>, id: Guid, settings: &str) -> Answer<Guid> {
        self.change()?;
        self.inner.create(kind, network, id, settings)
    }

    fn open(&self, object: ObjectId) -> Answer<()> {
        self.inner.open(object)
    }

    fn query(&self, object: ObjectId, query: &str) -> Answer<String> {
        self.inner.query(object, query)
    }

    fn modify(&self, object: ObjectId, settings: &str) -> Answer<()> {
        self.change()?;
        self.inner.modify(object, settings)
    }

    fn delete(&self, object: ObjectId) -> Answer<()> {
        self.change()?;
        self.inner.delete(object)
    }

    fn call(&self, method: &str, path: &str, request: &str) -> Answer<String> {
        self.change()?;
        self.inner.call(method, path, request)
    }

    fn subscribe(&self, listener: Listener) -> Answer<Subscription> {
        self.inner.subscribe(listener)
    }
}

/// An embedded HNS whose own containers are not used, with a NAT network.
struct Scene {
    folder: PathBuf,
    hns: Arc<Service>,
    network: Guid,
}

impl Scene {
    fn new(name: &str) -> Scene {
        let folder = env::temp_dir().join(format!("hcn-native-lab-{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        let hns = Arc::new(Service::open(Options::new(&folder)).unwrap());
        let document = r#"{"SchemaVersion":{"Major":2,"Minor":0},"Name":"nat","Type":"NAT"}"#;
        let network = hns
            .create(Kind::Network, None, Guid::ZERO, document)
            .unwrap();
        Scene {
            folder,
            hns,
            network,
        }
    }

    fn lab(&self) -> NativeLab {
        self.lab_over(self.hns.clone())
    }

    fn lab_over(&self, hns: Arc<dyn Hns>) -> NativeLab {
        let (state, name) = (self.folder.clone(), "native".to_owned());
        NativeLab::new(hns, state, name, Arc::new(SystemClock), Arc::new(RandomIds))
    }

    /// A lab on an HNS that refuses changes.
    fn failing(&self, first: usize, count: usize) -> NativeLab {
        self.lab_over(Arc::new(Failing {
            inner: self.hns.clone(),
            changes: AtomicUsize::new(0),
            first,
            count,
        }))
    }

    fn wanted(&self, name: &str, in_namespace: bool) -> NewContainer {
        let settings = if in_namespace {
            format!(r#"{{"SchemaVersion":{{"Major":2,"Minor":0}},"Name":"{name}"}}"#)
        } else {
            let network = self.network;
            format!(r#"{{"Name":"{name}","VirtualNetwork":"{network}"}}"#)
        };
        NewContainer {
            name: name.to_owned(),
            id: None,
            endpoint: NewEndpoint::Made {
                network: self.network,
                settings,
                namespace: in_namespace.then(|| V2.to_owned()),
            },
            listeners: vec![ListenPort {
                protocol: 6,
                port: 80,
            }],
        }
    }

    fn count(&self, kind: Kind) -> usize {
        self.hns.list(kind, V2).unwrap().len()
    }

    fn is_empty(&self) -> bool {
        self.count(Kind::Endpoint) == 0 && self.count(Kind::Namespace) == 0
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_container_is_what_an_embedded_hns_makes_in_one_step_and_goes_with_all_of_it() {
    let scene = Scene::new("whole");
    for in_namespace in [true, false] {
        let wanted = scene.wanted("web", in_namespace);
        let state = |endpoint: Guid| {
            let object = ObjectId {
                kind: Kind::Endpoint,
                id: endpoint,
            };
            // v1 documents say who shares the endpoint.
            let text = scene.hns.query(object, "").unwrap();
            let document: serde_json::Value = serde_json::from_str(&text).unwrap();
            (
                document["State"].clone(),
                document["SharedContainers"].clone(),
            )
        };
        let own = scene.hns.run_container(&wanted).unwrap();
        let (state_of_own, _) = state(own.endpoint);
        scene.hns.remove_container("web").unwrap();

        let made = scene.lab().run_container(&wanted).unwrap();
        assert_eq!(
            (made.namespace.is_some(), &made.listeners, made.adopted),
            (in_namespace, &wanted.listeners, false)
        );
        let (state_of_made, sharing) = state(made.endpoint);
        assert_eq!(state_of_made, state_of_own);
        assert_eq!(sharing, serde_json::json!([made.id]));
        assert_eq!(
            scene.lab().containers(),
            Ok(vec![made.clone()]),
            "another one reads it"
        );
        assert_eq!(scene.lab().remove_container("web"), Ok(made));
        assert!(scene.is_empty());
        assert_eq!(
            scene.lab().remove_container("web").unwrap_err().code,
            HcnCode::ERROR_NOT_FOUND
        );
    }
}

#[test]
fn whichever_request_fails_nothing_is_left() {
    let scene = Scene::new("fails");
    // Endpoint, namespace, endpoint into it, container into it; or endpoint and attach.
    for (in_namespace, requests) in [(true, 4), (false, 2)] {
        for first in 0..requests {
            let lab = scene.failing(first, 1);
            let error = lab
                .run_container(&scene.wanted("web", in_namespace))
                .unwrap_err();
            assert_eq!(error.code, HcnCode::E_FAIL);
            assert!(scene.is_empty(), "after request {first} failed");
            assert_eq!(lab.containers(), Ok(Vec::new()));
        }
        let lab = scene.failing(requests, 1);
        lab.run_container(&scene.wanted("web", in_namespace))
            .expect("there are no more requests than those");
        scene.lab().remove_container("web").unwrap();
    }
}

#[test]
fn what_could_not_be_taken_away_is_told_and_goes_with_the_next_change() {
    let scene = Scene::new("left");
    // The third request fails, and so does everything after it, as when HNS stops; or its client is killed.
    let error = scene
        .failing(2, usize::MAX)
        .run_container(&scene.wanted("web", true))
        .unwrap_err();
    assert!(
        error.to_string().contains("could not be deleted again"),
        "{error}"
    );
    assert_eq!(
        (scene.count(Kind::Endpoint), scene.count(Kind::Namespace)),
        (1, 1)
    );
    let lab = scene.lab();
    assert_eq!(lab.containers(), Ok(Vec::new()), "half a container is none");
    let made = lab.run_container(&scene.wanted("web", true)).unwrap();
    assert_eq!(
        (scene.count(Kind::Endpoint), scene.count(Kind::Namespace)),
        (1, 1)
    );
    assert_eq!(lab.containers(), Ok(vec![made]));
}

#[test]
fn a_removal_that_fails_can_be_repeated() {
    let scene = Scene::new("repeat");
    let made = scene
        .lab()
        .run_container(&scene.wanted("web", true))
        .unwrap();
    // The endpoint does not go; then the namespace does not.
    for first in [0, 1] {
        let lab = scene.failing(first, 1);
        assert_eq!(
            lab.remove_container("web").unwrap_err().code,
            HcnCode::E_FAIL
        );
        assert_eq!(lab.containers(), Ok(vec![made.clone()]));
    }
    scene.lab().remove_container("web").unwrap();
    assert!(scene.is_empty());
}

#[test]
fn names_and_ids_in_use_are_refused_and_belong_to_whom_they_belonged() {
    let scene = Scene::new("taken");
    let lab = scene.lab();
    let first = NewContainer {
        id: Some("1".to_owned()),
        ..scene.wanted("web", true)
    };
    let made = lab.run_container(&first).unwrap();
    let settings = format!(
        r#"{{"SchemaVersion":{{"Major":2,"Minor":0}},"ID":"{}"}}"#,
        made.endpoint
    );
    let endpoint_taken = NewContainer {
        endpoint: NewEndpoint::Made {
            network: scene.network,
            settings,
            namespace: None,
        },
        ..scene.wanted("other", false)
    };
    let id_taken = NewContainer {
        name: "other".to_owned(),
        ..first.clone()
    };
    for (wanted, code) in [
        (first, HcnCode::ERROR_ALREADY_EXISTS),
        (id_taken, HcnCode::ERROR_ALREADY_EXISTS),
        (endpoint_taken, HcnCode::ERROR_ALREADY_EXISTS),
        (scene.wanted("10.0.0.1", true), HcnCode::E_INVALIDARG),
    ] {
        assert_eq!(lab.run_container(&wanted).unwrap_err().code, code);
        assert_eq!(lab.containers(), Ok(vec![made.clone()]));
        assert_eq!(scene.count(Kind::Endpoint), 1);
    }
}

#[test]
fn an_endpoint_of_others_is_adopted_and_left_without_a_request() {
    let scene = Scene::new("adopted");
    let document = r#"{"SchemaVersion":{"Major":2,"Minor":0},"Name":"pod"}"#;
    let endpoint = scene
        .hns
        .create(Kind::Endpoint, Some(scene.network), Guid::ZERO, document)
        .unwrap();
    let wanted = |endpoint| NewContainer {
        endpoint: NewEndpoint::Adopted(endpoint),
        ..scene.wanted("web", false)
    };
    let before = scene.hns.last_operation().unwrap();
    let lab = scene.failing(0, usize::MAX);
    assert_eq!(
        lab.run_container(&wanted(Guid(7))).unwrap_err().code,
        HcnCode::HCN_E_ENDPOINT_NOT_FOUND
    );
    let made = lab.run_container(&wanted(endpoint)).unwrap();
    assert_eq!((made.endpoint, made.adopted), (endpoint, true));
    lab.remove_container("web").unwrap();
    assert_eq!(scene.hns.last_operation(), Ok(before));
}

#[test]
fn there_is_no_log_and_it_is_said_in_words() {
    let scene = Scene::new("log");
    let lab = scene.lab();
    for error in [
        lab.history(None, 1).unwrap_err(),
        lab.last_operation().unwrap_err(),
        lab.moment(1).unwrap_err(),
    ] {
        assert_eq!(error.code, HcnCode::E_NOTIMPL);
        assert!(error.to_string().contains("keeps no log"), "{error}");
    }
}
