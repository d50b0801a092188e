// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the demo is told: an embedded HNS of its own, or somebody's HNS that is left as it was found.
//!
//! Apart from the story, which is the same on both. Invariant: what the demo did not make it does not touch.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use hcn::{
    Kind, ObjectId, Target,
    schema::Guid,
    service::{Profile, profile::ProfileChoice},
};

use super::{CONTAINERS, NETWORK, seed};
use crate::{
    cli::{DemoArgs, Globals},
    desk::{Desk, DeskOptions, state_of},
    failure::Failure,
    serve::signal,
};

/// Where it is told.
pub struct Stage {
    target: Target,
    /// Beside a native HNS, the state directory that its containers are kept in.
    state: Option<PathBuf>,
    profile: ProfileChoice,
    /// For files of the demo's own.
    folder: PathBuf,
    kind: StageKind,
    keep: bool,
}

enum StageKind {
    /// An HNS of the demo's own.
    Embedded {
        /// Whether the directory is the demo's own too.
        temporary: bool,
    },
    /// Somebody's.
    Native {
        made: Made,
        stopped: Arc<AtomicBool>,
    },
}

/// What is there because of the demo.
#[derive(Default)]
struct Made {
    network: Option<Guid>,
    containers: Vec<&'static str>,
}

impl Stage {
    /// An empty embedded HNS, in a directory without a store.
    ///
    /// # Errors
    /// Where the directory has a store, or the version has nothing to show.
    pub fn embedded(
        given: Option<PathBuf>,
        globals: &Globals,
        args: &DemoArgs,
    ) -> Result<Stage, Failure> {
        if let Some(choice) = &globals.profile {
            let profile = choice.profile().map_err(Failure::hns("tell the story"))?;
            refuse_acls_without_effect(&profile, "; choose another --profile")?;
        }
        let temporary = given.is_none();
        let folder = given.unwrap_or_else(temporary_folder);
        if folder.join(hcn::service::STORE_FILE).exists() {
            return Err(Failure::Usage(format!(
                "the demo needs a state directory without a store, and {} has one",
                folder.display()
            )));
        }
        Ok(Stage {
            target: Target::Embedded(Some(folder.clone())),
            state: None,
            profile: globals.profile.clone().unwrap_or_default(),
            folder,
            kind: StageKind::Embedded { temporary },
            keep: args.keep,
        })
    }

    /// The HNS of a library, in which nothing may be in the way.
    ///
    /// # Errors
    /// Where something has a name or an id of the demo's, HNS is not installed, or the version has nothing to show.
    pub fn native(target: Target, globals: &Globals, args: &DemoArgs) -> Result<Stage, Failure> {
        let stage = Stage {
            target,
            state: state_of(globals),
            profile: globals.profile.clone().unwrap_or_default(),
            folder: temporary_folder(),
            kind: StageKind::Native {
                made: Made::default(),
                stopped: watch(),
            },
            keep: args.keep,
        };
        let (mut data, mut words) = (Vec::new(), Vec::new());
        let desk = Desk::open(stage.desk("hcnctl demo"), &mut data, &mut words, None)?;
        let profile = desk
            .connection()
            .profile()
            .map_err(Failure::hns("read the version of HNS"))?;
        refuse_acls_without_effect(&profile, "")?;
        stage.refuse_in_the_way(&desk, args.seed_ids)?;
        Ok(stage)
    }

    fn refuse_in_the_way(&self, desk: &Desk<'_>, seed_ids: bool) -> Result<(), Failure> {
        let refusal = |what: String, how: String| {
            Failure::Usage(format!(
                "the demo makes a network {NETWORK:?} with the containers {}, and {} has {what} already; the demo touches nothing of others. If it is left from a demo, {how}. Without --host the demo has an HNS of its own",
                CONTAINERS.join(" and "),
                self.target
            ))
        };
        match desk.network(NETWORK) {
            Err(Failure::NotFound { .. }) => {}
            Err(other @ Failure::Hns { .. }) => return Err(other),
            Ok(_) | Err(_) => {
                return Err(refusal(
                    format!("a network {NETWORK:?}"),
                    format!("hcnctl delete networks {NETWORK} takes it away"),
                ));
            }
        }
        for container in desk.containers()? {
            if CONTAINERS.contains(&container.name.as_str()) {
                return Err(refusal(
                    format!("a container {:?}", container.name),
                    format!("hcnctl rm {} takes it away", container.name),
                ));
            }
        }
        for (kind, id) in seed::IDS.iter().filter(|_| seed_ids) {
            let object = ObjectId {
                kind: *kind,
                id: id.parse().unwrap_or_default(),
            };
            if desk.client().hns().open(object).is_ok() {
                return Err(refusal(
                    format!("the {kind} {id}"),
                    format!("hcnctl delete {kind}s {id} takes it away"),
                ));
            }
        }
        Ok(())
    }

    /// How a reader repeats the story.
    pub fn by_hand(&self) -> String {
        match &self.kind {
            StageKind::Embedded { .. } => "Each command below can be repeated by hand, in a state directory of your own:\n  \
                alias hcnctl='cargo run --release --quiet -p hcnctl --'; export HCNCTL_STATE=$(mktemp -d)"
                .to_owned(),
            StageKind::Native { .. } => format!(
                "Each command below can be repeated by hand, on the same HNS:\n  export HCNCTL_HOST='{}'",
                self.target
            ),
        }
    }

    /// Whether there are moments to compare with.
    pub fn has_log(&self) -> bool {
        matches!(self.kind, StageKind::Embedded { .. })
    }

    /// A directory for files of the demo's own; made by the first who asks.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn folder(&self) -> Result<&Path, Failure> {
        fs::create_dir_all(&self.folder).map_err(|error| Failure::File {
            path: self.folder.display().to_string(),
            error,
        })?;
        Ok(&self.folder)
    }

    /// How a command of the story is opened.
    pub fn desk(&self, actor: &str) -> DeskOptions {
        DeskOptions {
            target: self.target.clone(),
            state: self.state.clone(),
            profile: self.profile.clone(),
            dry_run: false,
            actor: actor.to_owned(),
        }
    }

    /// Notes the network, to be taken away.
    pub fn made_network(&mut self, id: Guid) {
        if let StageKind::Native { made, .. } = &mut self.kind {
            made.network = Some(id);
        }
    }

    /// Notes a container, to be taken away.
    pub fn made_container(&mut self, name: &'static str) {
        if let StageKind::Native { made, .. } = &mut self.kind {
            made.containers.push(name);
        }
    }

    /// Refuses to go on where somebody pressed ctrl-c; asked between the steps, so that each is whole.
    ///
    /// # Errors
    /// That it was pressed.
    pub fn refuse_interrupted(&self) -> Result<(), Failure> {
        match &self.kind {
            StageKind::Native { stopped, .. } if stopped.load(Ordering::Relaxed) => {
                Err(Failure::Usage("the demo was told to stop".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Takes away what the demo made, or says where it is.
    ///
    /// # Errors
    /// What did not go.
    pub fn clear(&self, words: &mut dyn Write) -> Result<(), Failure> {
        match &self.kind {
            StageKind::Embedded { temporary: true } if !self.keep => {
                // The state is the demo's own; what cannot be removed is said, and no reason to fail.
                self.remove_folder(words)
            }
            StageKind::Embedded { .. } => {
                let folder = self.folder.display();
                writeln!(
                    words,
                    "the state is in {folder}: export HCNCTL_STATE={folder} and go on by hand"
                )?;
                Ok(())
            }
            StageKind::Native { made, .. } => {
                if self.folder.exists() {
                    self.remove_folder(words)?;
                }
                if self.keep {
                    writeln!(
                        words,
                        "it is all still there: hcnctl rm {} and hcnctl delete networks {NETWORK} take it away",
                        CONTAINERS.join(" ")
                    )?;
                    return Ok(());
                }
                self.take_away(made)
            }
        }
    }

    fn remove_folder(&self, words: &mut dyn Write) -> Result<(), Failure> {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            writeln!(
                words,
                "the directory {} could not be removed: {error}",
                self.folder.display()
            )?;
        }
        Ok(())
    }

    /// Goes on after a failure, and tells the first.
    fn take_away(&self, made: &Made) -> Result<(), Failure> {
        let (mut data, mut words) = (Vec::new(), Vec::new());
        let desk = Desk::open(self.desk("hcnctl demo"), &mut data, &mut words, None)?;
        let mut result = Ok(());
        for name in made.containers.iter().rev() {
            let gone = desk.lab().remove_container(name).map(|_| ());
            result = result.and(gone.map_err(Failure::hns(format!(
                "take the container {name} away after the demo"
            ))));
        }
        if let Some(id) = made.network {
            let gone = desk.client().delete(Kind::Network, id);
            result = result.and(gone.map_err(Failure::hns(format!(
                "take the network {id} away after the demo"
            ))));
        }
        result
    }
}

fn temporary_folder() -> PathBuf {
    std::env::temp_dir().join(format!("hcnctl-demo-{}", std::process::id()))
}

/// There would be no block to show.
fn refuse_acls_without_effect(profile: &Profile, hint: &str) -> Result<(), Failure> {
    if profile.semantics.acl_on_nat {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "HNS {} ({}) takes ACLs on NAT networks and does not apply them, so there is no block to show{hint}",
        profile.version, profile.windows
    )))
}

/// Becomes true when somebody presses ctrl-c, or the system ends the program.
fn watch() -> Arc<AtomicBool> {
    let stopped = Arc::new(AtomicBool::new(false));
    let set = stopped.clone();
    // Where the system tells of no signals, one ends the program as it ends any other.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        if runtime.is_ok_and(|runtime| runtime.block_on(signal()).is_ok()) {
            set.store(true, Ordering::Relaxed);
        }
    });
    stopped
}
