// SPDX-License-Identifier: MIT OR Apache-2.0
//! `demo`: the story of the walk-through, told by the program's own commands.
//!
//! Every step is a command line that goes the same way as one from a shell, so a reader can repeat it; each step knows with which exit
//! code it has to end, and the demo fails where one does not.

mod seed;
mod words;

use std::{fs, io::Write, path::PathBuf};

use clap::Parser;
use hcn::Target;

use crate::{
    cli::{Cli, DemoArgs, Globals},
    desk::{Desk, DeskOptions, Outcome, target_of},
    failure::{Failure, exit},
};

/// The walk-through's two rules, with another action each time.
fn rules(action: &str, address: &str) -> String {
    format!(
        "'Action={action}; Direction=In; LocalAddresses={address}; LocalPorts=80; Protocols=6; Priority=100' \
         'Action={action}; Direction=Out; Protocols=6; Priority=100'"
    )
}

/// Tells the story.
pub fn run(
    args: &DemoArgs,
    globals: &Globals,
    out: &mut dyn Write,
    words: &mut dyn Write,
    width: Option<usize>,
) -> Outcome {
    let given = match target_of(globals)? {
        Target::Embedded(folder) => folder,
        // Nobody asked for the HNS of this machine.
        Target::Native(None) if globals.host.is_none() => None,
        other => {
            return Err(Failure::Usage(format!(
                "the demo makes a network and containers of its own and wants an empty HNS; {other} is somebody's. --state names a directory"
            )));
        }
    };
    if let Some(version) = globals.profile {
        let profile = hcn::service::Profile::of(version).map_err(Failure::hns("tell the story"))?;
        if !profile.semantics.acl_on_nat {
            return Err(Failure::Usage(format!(
                "HNS {version} ({}) takes ACLs on NAT networks and does not apply them, so there is no block to show; choose another --profile",
                profile.windows
            )));
        }
    }
    let state = given.clone().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("hcnctl-demo-{}", std::process::id()))
    });
    if state.join(hcn::service::STORE_FILE).exists() {
        return Err(Failure::Usage(format!(
            "the demo needs a state directory without a store, and {} has one",
            state.display()
        )));
    }
    let mut story = Story {
        state: state.clone(),
        globals,
        out,
        width,
        failed: Vec::new(),
    };
    let told = if args.seed_ids {
        story.tell(&seed::Scene)
    } else {
        story.tell(&Chosen)
    };
    let failed = story.failed;
    if given.is_none() && !args.keep {
        // The state is the demo's own; what cannot be removed is said, and no reason to fail.
        if let Err(error) = fs::remove_dir_all(&state) {
            writeln!(
                words,
                "the directory {} could not be removed: {error}",
                state.display()
            )?;
        }
    } else {
        writeln!(
            words,
            "the state is in {}: export HCNCTL_STATE={} and go on by hand",
            state.display(),
            state.display()
        )?;
    }
    told?;
    if failed.is_empty() {
        writeln!(out, "\nEvery step ended as it should.")?;
        return Ok(exit::DONE);
    }
    writeln!(out, "\nSteps that did not end as they should:")?;
    for line in failed {
        writeln!(out, "  {line}")?;
    }
    Ok(exit::DENIED)
}

/// What differs between the two tellings: ids, addresses, and how a container gets its endpoint.
trait Scene {
    /// The first steps, up to two running containers.
    fn set(&self, story: &mut Story<'_>) -> Result<(), Failure>;
}

/// Ids and addresses as HNS chooses them.
struct Chosen;

impl Scene for Chosen {
    fn set(&self, story: &mut Story<'_>) -> Result<(), Failure> {
        story.chapter("A NAT network and two containers on it. nginx listens on port 80.")?;
        story.step("hcnctl create network nat", exit::DONE)?;
        story.step(
            "hcnctl run --name nginx --network nat --listen 80/tcp",
            exit::DONE,
        )?;
        story.step("hcnctl run --name client --network nat", exit::DONE)
    }
}

/// The demo on its way.
struct Story<'a> {
    state: PathBuf,
    globals: &'a Globals,
    out: &'a mut dyn Write,
    width: Option<usize>,
    failed: Vec<String>,
}

impl Story<'_> {
    fn tell(&mut self, scene: &dyn Scene) -> Result<(), Failure> {
        writeln!(
            self.out,
            "Each command below can be repeated by hand, in a state directory of your own:"
        )?;
        writeln!(
            self.out,
            "  alias hcnctl='cargo run --release --quiet -p hcnctl --'; export HCNCTL_STATE=$(mktemp -d)"
        )?;
        scene.set(self)?;
        self.step("hcnctl ps", exit::DONE)?;
        self.chapter("The endpoints as Get-HnsEndpoint lists them, and traffic that flows.")?;
        self.step("hcnctl get endpoints -o list", exit::DONE)?;
        self.step("hcnctl probe client nginx:80/tcp", exit::DONE)?;
        let before = self.desk(|desk| {
            desk.lab()?
                .last_operation()
                .map_err(Failure::hns("read the log"))
        })?;
        let address =
            self.desk(|desk| Ok(crate::lookup::addresses(&desk.endpoint("nginx")?).join(",")))?;

        self.chapter("The block of the walk-through, as HNS has it: RequestType Add, a rule for each direction.")?;
        let block = format!("hcnctl acl add nginx {}", rules("Block", &address));
        self.step(&block, exit::DONE)?;
        self.step("hcnctl probe client nginx:80/tcp", exit::DENIED)?;
        self.chapter("Sent again, the same rules are there twice: HNS does not look for doubles.")?;
        self.step(&block, exit::DONE)?;
        self.step("hcnctl get endpoints -o list", exit::DONE)?;
        self.step(&format!("hcnctl diff @{before} now"), exit::DENIED)?;

        self.chapter("The allow of the walk-through: RequestType Update replaces all four.")?;
        let allow = format!("hcnctl acl set nginx {}", rules("Allow", &address));
        self.step(&allow, exit::DONE)?;
        self.step("hcnctl get endpoints -o list", exit::DONE)?;
        self.step("hcnctl probe client nginx:80/tcp", exit::DONE)?;
        self.step(&format!("hcnctl diff @{before} now"), exit::DENIED)?;
        self.chapter(
            "Removing them as they were sent changes nothing, as the walk-through's author found.",
        )?;
        self.step(
            &format!("hcnctl acl remove nginx {}", rules("Allow", &address)),
            exit::DONE,
        )?;

        self.chapter("A rule also turns on default deny: with the allow of TCP in place, ping no longer passes.")?;
        self.step("hcnctl probe client nginx/icmp", exit::DENIED)?;
        self.chapter("block and allow say what is meant: one port, and nothing else.")?;
        self.step("hcnctl acl clear nginx", exit::DONE)?;
        self.step("hcnctl block nginx --in 80/tcp", exit::DONE)?;
        self.step("hcnctl probe client nginx:80/tcp", exit::DENIED)?;
        self.step("hcnctl probe client nginx/icmp", exit::DONE)?;
        self.step("hcnctl allow nginx --in 80/tcp", exit::DONE)?;
        self.step("hcnctl probe client nginx:80/tcp", exit::DONE)?;
        self.step("hcnctl history -n 3", exit::DONE)
    }

    fn chapter(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.out, "\n# {text}")?;
        Ok(())
    }

    /// Prints a command line and carries it out; what it prints follows, and its exit code where that is not 0.
    fn step(&mut self, line: &str, expected: u8) -> Result<(), Failure> {
        writeln!(self.out, "\n$ {line}")?;
        self.carry_out(line, line, expected)
    }

    /// Carries out one command line while showing another.
    fn carry_out(&mut self, line: &str, shown: &str, expected: u8) -> Result<(), Failure> {
        let cli = Cli::try_parse_from(words::split(line))
            .map_err(|error| Failure::Usage(format!("the demo's own command {line:?}: {error}")))?;
        let (mut data, mut words) = (Vec::new(), Vec::new());
        let width = self.width;
        let options = self.options(shown);
        let outcome = Desk::open(options, &mut data, &mut words, width)
            .and_then(|mut desk| desk.execute(cli.command));
        self.out.write_all(&data)?;
        self.out.write_all(&words)?;
        let code = match outcome {
            Ok(code) => code,
            Err(failure) => {
                write!(self.out, "{}", failure.page())?;
                failure.exit_code()
            }
        };
        if code != exit::DONE {
            writeln!(self.out, "(exit {code})")?;
        }
        if code != expected {
            self.failed
                .push(format!("{shown}: exit {code}, and {expected} was expected"));
        }
        self.out.flush()?;
        Ok(())
    }

    fn desk<T>(&self, ask: impl FnOnce(&Desk<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        let (mut data, mut words) = (Vec::new(), Vec::new());
        let desk = Desk::open(self.options("hcnctl demo"), &mut data, &mut words, None)?;
        ask(&desk)
    }

    fn options(&self, actor: &str) -> DeskOptions {
        DeskOptions {
            target: Target::Embedded(Some(self.state.clone())),
            version: self.globals.profile,
            dry_run: false,
            actor: actor.to_owned(),
        }
    }
}
