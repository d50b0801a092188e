// SPDX-License-Identifier: MIT OR Apache-2.0
//! `can` and `why` as a program meets them: exit codes, and JSON that is as `docs/schema/why.json` says. Captures are in [`packets`], what is said beside answers in [`notes`].
//!
//! What people read is in the transcript `cases/why.txt`.
#![cfg(unix)]

mod notes;
mod packets;

use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use testkit::schema::Schema;

/// A store in a directory of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = env::temp_dir().join(format!("hcnctl-why-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn run(&self, line: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_hcnctl"))
            .args(line.split_whitespace())
            .current_dir(&self.0)
            .env("HCNCTL_STATE", "state")
            .env_remove("HCNCTL_HOST")
            .env_remove("HCNCTL_PROFILE")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn done(&self, line: &str) {
        let output = self.run(line);
        assert!(
            output.status.success(),
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn code(&self, line: &str) -> Option<i32> {
        self.run(line).status.code()
    }

    fn json(&self, line: &str) -> Value {
        let output = self.run(line);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{line}: {error}: {output:?}"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A NAT network with a client and a web server that is published, a bridge with a service of two backends.
fn scene(name: &str) -> Folder {
    let folder = Folder::new(name);
    for line in [
        "create network nat --subnet 172.20.0.0/20",
        "run --name nginx --network nat --listen 80/tcp --publish 8080:80/tcp --address 172.20.0.9",
        "run --name client --network nat --address 172.20.0.8",
        "create network lan --type L2Bridge --subnet 10.1.0.0/24",
        "create endpoint one --network lan --address 10.1.0.11 --id b0000001-0000-4000-8000-000000000000",
        "create endpoint two --network lan --address 10.1.0.12 --id b0000002-0000-4000-8000-000000000000",
        "create endpoint pod --network lan --address 10.1.0.20",
    ] {
        folder.done(line);
    }
    folder
}

fn published_schema() -> Schema {
    Schema::published("why.json")
}

#[test]
fn the_exit_code_of_can_is_the_answer() {
    let folder = scene("can");
    assert_eq!(folder.code("can client nginx:80/tcp"), Some(0));
    folder.done("block nginx --in 80/tcp");
    assert_eq!(folder.code("can client nginx:80/tcp"), Some(1));
    assert_eq!(folder.code("can client host:8080/tcp"), Some(1));
    assert_eq!(folder.code("can 203.0.113.9 host:8080/tcp"), Some(1));
    assert_eq!(folder.code("can client nginx/icmp"), Some(0));
    assert_eq!(
        folder.code("--profile 15.4 can client nginx:80/tcp"),
        Some(0)
    );
    let quiet = folder.run("can -q client nginx:80/tcp");
    assert_eq!((quiet.status.code(), quiet.stdout.len()), (Some(1), 0));
    assert_eq!(folder.code("can nobody nginx:80/tcp"), Some(3));
    assert_eq!(folder.code("can client nginx"), Some(2));
    assert_eq!(folder.code("can client [fd00::1]:80/tcp"), Some(2));
}

#[test]
fn json_is_as_its_schema_says() {
    let folder = scene("schema");
    folder.done("acl add nginx Action=Block;Direction=In;Protocols=6;LocalPorts=80;Priority=100 Action=Allow;Direction=In;Priority=100");
    let schema = published_schema();
    for (line, outcome) in [
        ("why client nginx:80/tcp -o json", "dropped"),
        ("why client nginx:81/tcp -o json", "arrives"),
        ("why nginx client:81/tcp -o json", "dropped"),
        ("why client host:8080/tcp -o json", "dropped"),
        ("why host nginx/icmp -o json", "arrives"),
        ("why client 8.8.8.8:53/udp -o json", "leaves"),
        ("why client 172.20.0.77:80/tcp -o json", "unreachable"),
    ] {
        let page = folder.json(line);
        assert_eq!(schema.faults(&page), Vec::<String>::new(), "{line}");
        assert_eq!(page["outcome"], outcome, "{line}");
    }
}

#[test]
fn json_tells_sets_and_what_a_version_does_not_have() {
    let folder = scene("parts");
    let documents = r#"[{"Name": "pods", "Type": "L2Bridge", "SchemaVersion": {"Major": 2, "Minor": 0}, "Policies": [
            {"Type": "SetPolicy", "Settings": {"Id": "s-app", "Name": "app", "PolicyType": "IPSET", "Values": "10.2.0.12"}}],
          "Ipams": [{"Subnets": [{"IpAddressPrefix": "10.2.0.0/24", "Routes": [{"NextHop": "10.2.0.2", "DestinationPrefix": "0.0.0.0/0"}]}]}]}]"#;
    fs::write(folder.0.join("pods.json"), documents).unwrap();
    folder.done("create -f pods.json");
    folder.done("create endpoint a --network pods --address 10.2.0.11");
    folder.done("create endpoint b --network pods --address 10.2.0.12");
    folder.done("create endpoint db --network pods --address 10.2.0.15");
    folder.done("acl set db Action=Allow;Direction=In;LocalAddresses=s-app;Priority=100");
    let schema = published_schema();
    let page = folder.json("why a db:80/tcp -o json");
    assert_eq!(schema.faults(&page), Vec::<String>::new());
    let near = &page["steps"][2]["layers"][0]["stronger"]["nearest"][0];
    assert_eq!(near["failed"], serde_json::json!(["LocalAddresses"]));
    let set = &near["rule"]["sets"][0];
    assert_eq!(
        (&set["means"], &set["address"], &set["holds"]),
        (&"source".into(), &"10.2.0.11".into(), &false.into())
    );
    assert_eq!(page["profiles"][0]["version"], "9.2");
    assert_eq!(
        page["profiles"][0]["lacks"],
        serde_json::json!(["SetPolicy"])
    );
    // On 9.2 the rule is left out, and with it the default deny.
    let page = folder.json("why a db:80/tcp -o json --profile 9.2,tie=first-wins");
    assert_eq!(schema.faults(&page), Vec::<String>::new());
    assert_eq!(page["profile"], "9.2,tie=first-wins");
    assert_eq!(page["outcome"], "arrives");
    assert_eq!(page["faults"][0]["lacks"], "SetPolicy");
    let page = folder.json("why client nginx:80/tcp -o json --profile 15.4");
    assert_eq!(schema.faults(&page), Vec::<String>::new());
    folder.done("block nginx --in 80/tcp");
    let page = folder.json("why client nginx:80/tcp -o json --profile 15.4");
    assert_eq!(schema.faults(&page), Vec::<String>::new());
    assert_eq!(page["steps"][2]["cause"]["reason"], "without-effect");
}

#[test]
fn json_tells_the_rule_the_tie_and_what_would_be_without_it() {
    let folder = scene("rule");
    folder.done("acl add nginx Action=Block;Direction=In;Protocols=6;LocalPorts=80;Priority=100 Action=Allow;Direction=In;Priority=100");
    let page = folder.json("why client nginx:80/tcp -o json");
    let judged = page["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(judged["cause"]["rule"]["pointer"], "/Policies/1");
    assert_eq!(judged["cause"]["tie"], true);
    assert_eq!(judged["without"]["redundant"], false);
    assert_eq!(judged["without"]["cause"]["rule"]["pointer"], "/Policies/2");
    let differs = |key: &str| -> Vec<&str> {
        let name = if key == "profiles" {
            "version"
        } else {
            "question"
        };
        let all = page[key].as_array().unwrap().iter();
        all.filter(|other| other["differs"] == true)
            .map(|other| other[name].as_str().unwrap())
            .collect()
    };
    // hns-behaviour 4.1; the Block was added first, so Q1 changes nothing.
    assert_eq!(differs("profiles"), ["15.4"]);
    assert_eq!(differs("openQuestions"), Vec::<&str>::new());
}

#[test]
fn each_backend_of_a_service_has_a_way_of_its_own() {
    let folder = scene("service");
    fs::write(
        folder.0.join("service.json"),
        r#"{"SchemaVersion": {"Major": 2, "Minor": 0}, "Name": "web", "HostComputeEndpoints": ["b0000001-0000-4000-8000-000000000000",
            "b0000002-0000-4000-8000-000000000000"], "FrontendVIPs": ["10.96.0.1"], "Flags": 1,
            "PortMappings": [{"Protocol": 6, "ExternalPort": 443, "InternalPort": 80}]}"#,
    )
    .unwrap();
    make_load_balancer(&folder, "service.json");
    folder.done("block two --in 80/tcp");
    let page = folder.json("why pod 10.96.0.1:443/tcp -o json");
    assert_eq!(published_schema().faults(&page), Vec::<String>::new());
    assert_eq!(
        (&page["outcome"], &page["allowed"]),
        (&"balanced".into(), &false.into())
    );
    let backends = page["steps"].as_array().unwrap().last().unwrap()["backends"].clone();
    let fates: Vec<&Value> = backends
        .as_array()
        .unwrap()
        .iter()
        .map(|backend| &backend["outcome"])
        .collect();
    assert_eq!(fates, ["arrives", "dropped"]);
    // By its name, too.
    assert_eq!(folder.code("can pod web:443/tcp"), Some(1));
}

/// Every object in a page that has a pointer, with the id of the object that it points into.
fn pointers<'a>(page: &'a Value, found: &mut Vec<(&'a str, &'a str)>) {
    match page {
        Value::Object(members) => {
            let text = |key: &str| members.get(key).and_then(Value::as_str);
            let owner = ["object", "endpoint", "balancer"].iter();
            let owner = owner.filter_map(|key| text(key)).next();
            found.extend(owner.zip(text("pointer")));
            members.values().for_each(|value| pointers(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| pointers(value, found)),
        _ => {}
    }
}

#[test]
fn every_pointer_leads_to_the_rule_mapping_or_port_that_is_told() {
    let folder = scene("pointers");
    fs::write(
        folder.0.join("service.json"),
        r#"{"SchemaVersion": {"Major": 2, "Minor": 0}, "HostComputeEndpoints": ["b0000001-0000-4000-8000-000000000000",
            "b0000002-0000-4000-8000-000000000000"], "FrontendVIPs": ["10.96.0.1"],
            "PortMappings": [{"Protocol": 6, "ExternalPort": 443, "InternalPort": 80}]}"#,
    )
    .unwrap();
    make_load_balancer(&folder, "service.json");
    // Enough rules that most are put aside unread.
    let rules = (1..=30).map(|number| {
        format!("Action=Block;Direction=In;Protocols=6;LocalPorts={number};Priority={number}")
    });
    let rules: Vec<String> = rules.collect();
    for endpoint in ["nginx", "two"] {
        folder.done(&format!(
            "acl add {endpoint} {} Action=Allow;Direction=In;Priority=100 Action=Block;Direction=In;LocalPorts=80;Protocols=6;Priority=200",
            rules.join(" ")
        ));
    }
    let mut documents = std::collections::HashMap::new();
    let connection = hcn::connect(
        &hcn::Target::Embedded(Some(folder.0.join("state"))),
        hcn::ConnectOptions::default(),
    )
    .unwrap();
    for kind in [hcn::Kind::Endpoint, hcn::Kind::LoadBalancer] {
        let query = hcn::schema::Query::v2().text();
        for text in connection.hns().list(kind, &query).unwrap() {
            let document: Value = serde_json::from_str(&text).unwrap();
            let id = document["ID"].as_str().unwrap().to_ascii_lowercase();
            documents.insert(id, document);
        }
    }
    let mut seen = std::collections::HashSet::new();
    for line in [
        "why client nginx:80/tcp -o json",
        "why client host:8080/tcp -o json",
        "why pod 10.96.0.1:443/tcp -o json",
    ] {
        let page = folder.json(line);
        assert_eq!(published_schema().faults(&page), Vec::<String>::new());
        let mut found = Vec::new();
        pointers(&page, &mut found);
        assert!(!found.is_empty(), "{line}");
        for (object, pointer) in found {
            let document = &documents[object];
            let Some(told) = document.pointer(pointer) else {
                panic!("{line}: {pointer} leads nowhere in {document}");
            };
            seen.insert(told["Type"].as_str().unwrap_or("part").to_owned());
        }
        for near in nearest(&page) {
            let rule = &near["rule"];
            let document = &documents[rule["object"].as_str().unwrap()];
            let settings = document.pointer(rule["pointer"].as_str().unwrap()).unwrap();
            assert_eq!(settings["Settings"]["Priority"], rule["priority"]);
        }
    }
    assert!(seen.contains("ACL") && seen.contains("part"), "{seen:?}");
}

/// The rules that nearly matched, on every layer of a page's last judgement.
fn nearest(page: &Value) -> Vec<&Value> {
    let steps = page["steps"].as_array().unwrap().iter();
    steps
        .flat_map(|step| step["layers"].as_array().into_iter().flatten())
        .flat_map(|layer| layer["stronger"]["nearest"].as_array().unwrap())
        .collect()
}

#[test]
fn a_verdict_that_hangs_on_the_source_port_says_so_and_is_not_allowed_on_faith() {
    let folder = scene("ports");
    folder.done("acl add nginx Action=Block;Direction=In;Protocols=6;RemotePorts=60000-60001;Priority=50 Action=Allow;Direction=In;Priority=100");
    let page = folder.json("why client nginx:80/tcp -o json");
    assert_eq!(published_schema().faults(&page), Vec::<String>::new());
    assert_eq!(
        (&page["allowed"], &page["flow"]["sourcePort"]),
        (&false.into(), &60_000.into())
    );
    let ports = serde_json::json!([
        {"ranges": [{"first": 1, "last": 59_999}, {"first": 60_002, "last": 65_535}], "allowed": true, "outcome": "arrives"},
        {"ranges": [{"first": 60_000, "last": 60_001}], "allowed": false, "outcome": "dropped"},
    ]);
    assert_eq!(page["sourcePorts"], ports);
    let output = folder.run("can client nginx:80/tcp");
    let line = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = "rules ask for the source port, which is taken to be 60000: allowed from 1-59999,60002-65535";
    assert!(line.contains(told), "{line}");
    assert_eq!(
        folder.code("can client nginx:80/tcp --source-port 60002"),
        Some(0)
    );
    // What no system chooses by itself is told, and does not decide.
    folder.done("acl set nginx Action=Block;Direction=In;Protocols=6;RemotePorts=1-1023;Priority=50 Action=Allow;Direction=In;Priority=100");
    let page = folder.json("why client nginx:80/tcp -o json");
    assert_eq!(
        (&page["allowed"], &page["sourcePorts"][0]["allowed"]),
        (&true.into(), &false.into())
    );
}

#[test]
fn a_virtual_address_receives_and_does_not_send() {
    let folder = scene("vip");
    fs::write(
        folder.0.join("service.json"),
        r#"{"SchemaVersion": {"Major": 2, "Minor": 0}, "HostComputeEndpoints": ["b0000001-0000-4000-8000-000000000000"],
            "FrontendVIPs": ["10.96.0.1"], "PortMappings": [{"Protocol": 6, "ExternalPort": 443, "InternalPort": 80}]}"#,
    )
    .unwrap();
    make_load_balancer(&folder, "service.json");
    for from in ["pod", "host", "203.0.113.9", "10.1.0.20", "client"] {
        assert_eq!(
            folder.code(&format!("can {from} 10.96.0.1:443/tcp")),
            Some(0)
        );
    }
    let output = folder.run("can 10.96.0.1 pod:80/tcp");
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("which sends nothing of its own"), "{words}");
}

/// Puts a load balancer into the folder's store through the seam, as kube-proxy does; the program has no verb for it.
fn make_load_balancer(folder: &Folder, file: &str) {
    let connection = hcn::connect(
        &hcn::Target::Embedded(Some(folder.0.join("state"))),
        hcn::ConnectOptions::default(),
    )
    .unwrap();
    let settings = fs::read_to_string(folder.0.join(file)).unwrap();
    connection
        .hns()
        .create(
            hcn::Kind::LoadBalancer,
            None,
            hcn::schema::Guid::ZERO,
            &settings,
        )
        .unwrap();
}
