// SPDX-License-Identifier: MIT OR Apache-2.0
//! `demo`: the story of the walk-through, told by the program's own commands.
//!
//! Every step is a command line that goes the same way as one from a shell, so a reader can repeat it; each step knows with which exit
//! code it has to end, and the demo fails where one does not.

mod seed;
mod stage;
mod words;

use std::{fs, io::Write, path::PathBuf};

use clap::Parser;
use hcn::Target;

use crate::{
    cli::{Cli, DemoArgs, Globals},
    desk::{Desk, Outcome, target_of},
    failure::{Failure, exit},
    lookup::guid,
};

use stage::Stage;

/// The network that the story is told on.
const NETWORK: &str = "nat";

/// Its containers.
const CONTAINERS: [&str; 2] = ["nginx", "client"];

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
    let stage = match target_of(globals)? {
        Target::Embedded(folder) => Stage::embedded(folder, globals, args)?,
        // Nobody asked for the HNS of this machine.
        Target::Native(None) if globals.host.is_none() => Stage::embedded(None, globals, args)?,
        target @ Target::Native(_) => Stage::native(target, globals, args)?,
        other => {
            return Err(Failure::Usage(format!(
                "the demo makes a network and containers of its own and wants an empty HNS; {other} is somebody's. --state names a directory"
            )));
        }
    };
    let mut story = Story {
        stage,
        out,
        width,
        failed: Vec::new(),
    };
    let told = if args.seed_ids {
        story.tell(&seed::Scene)
    } else {
        story.tell(&Chosen)
    };
    let Story { stage, failed, .. } = story;
    // However the telling ended, even where nobody reads it any more.
    let cleared = stage.clear(words);
    told?;
    cleared?;
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
        story.make_network(&Line::plain("hcnctl create network nat"))?;
        story.make_container(
            "nginx",
            "hcnctl run --name nginx --network nat --listen 80/tcp",
        )?;
        story.make_container("client", "hcnctl run --name client --network nat")
    }
}

/// The demo on its way.
struct Story<'a> {
    stage: Stage,
    out: &'a mut dyn Write,
    width: Option<usize>,
    failed: Vec<String>,
}

impl Story<'_> {
    fn tell(&mut self, scene: &dyn Scene) -> Result<(), Failure> {
        let by_hand = self.stage.by_hand();
        writeln!(self.out, "{by_hand}")?;
        scene.set(self)?;
        self.step("hcnctl ps", exit::DONE)?;
        self.chapter("The endpoints as Get-HnsEndpoint lists them, and traffic that flows.")?;
        self.step("hcnctl get endpoints -o list", exit::DONE)?;
        self.step("hcnctl probe client nginx:80/tcp", exit::DONE)?;
        let before = self.before()?;
        let address =
            self.desk(|desk| Ok(crate::lookup::addresses(&desk.endpoint("nginx")?).join(",")))?;

        self.chapter("The block of the walk-through, as HNS has it: RequestType Add, a rule for each direction.")?;
        let block = format!("hcnctl acl add nginx {}", rules("Block", &address));
        self.step(&block, exit::DONE)?;
        self.step("hcnctl probe client nginx:80/tcp", exit::DENIED)?;
        self.chapter("Sent again, the same rules are there twice: HNS does not look for doubles.")?;
        self.step(&block, exit::DONE)?;
        self.step("hcnctl get endpoints -o list", exit::DONE)?;
        self.compare(&before, exit::DENIED)?;

        self.chapter("The allow of the walk-through: RequestType Update replaces all four.")?;
        let allow = format!("hcnctl acl set nginx {}", rules("Allow", &address));
        self.step(&allow, exit::DONE)?;
        self.step("hcnctl get endpoints -o list", exit::DONE)?;
        self.step("hcnctl probe client nginx:80/tcp", exit::DONE)?;
        self.compare(&before, exit::DENIED)?;
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
        match before {
            Before::Moment(_) => self.step("hcnctl history -n 3", exit::DONE),
            // An HNS without a log has no history; what can be shown is that everything is as it was.
            Before::Listing(_) => self.compare(&before, exit::DONE),
        }
    }

    /// Something to compare with later.
    fn before(&mut self) -> Result<Before, Failure> {
        if self.stage.has_log() {
            let reading = || Failure::hns("read the log");
            let number = self.desk(|desk| desk.lab().last_operation().map_err(reading()))?;
            return Ok(Before::Moment(number));
        }
        let path = self.stage.folder()?.join("before.json");
        let listing = Line {
            real: "hcnctl get endpoints -o json".to_owned(),
            shown: "hcnctl get endpoints -o json > before.json".to_owned(),
            into: Some(path.clone()),
        };
        self.carry_out(&listing, exit::DONE)?;
        Ok(Before::Listing(path))
    }

    /// What has changed since.
    fn compare(&mut self, before: &Before, expected: u8) -> Result<(), Failure> {
        match before {
            Before::Moment(number) => self.step(&format!("hcnctl diff @{number} now"), expected),
            Before::Listing(path) => {
                let line = Line {
                    real: format!("hcnctl diff '{}' now", path.display()),
                    ..Line::plain("hcnctl diff before.json now")
                };
                self.carry_out(&line, expected).map(|_| ())
            }
        }
    }

    /// A step that makes the network.
    fn make_network(&mut self, line: &Line) -> Result<(), Failure> {
        if self.carry_out(line, exit::DONE)? == exit::DONE {
            let id = self.desk(|desk| Ok(guid(desk.network(NETWORK)?.id.get())))?;
            self.stage.made_network(id);
        }
        Ok(())
    }

    /// A step that makes a container.
    fn make_container(&mut self, name: &'static str, line: &str) -> Result<(), Failure> {
        if self.carry_out(&Line::plain(line), exit::DONE)? == exit::DONE {
            self.stage.made_container(name);
        }
        Ok(())
    }

    fn chapter(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.out, "\n# {text}")?;
        Ok(())
    }

    /// A step that is what it looks like.
    fn step(&mut self, line: &str, expected: u8) -> Result<(), Failure> {
        self.carry_out(&Line::plain(line), expected).map(|_| ())
    }

    /// Prints a command line and carries it out; what it prints follows, and its exit code where that is not 0.
    fn carry_out(&mut self, line: &Line, expected: u8) -> Outcome {
        self.stage.refuse_interrupted()?;
        writeln!(self.out, "\n$ {}", line.shown)?;
        let cli = Cli::try_parse_from(words::split(&line.real)).map_err(|error| {
            Failure::Usage(format!("the demo's own command {:?}: {error}", line.real))
        })?;
        let (mut data, mut words) = (Vec::new(), Vec::new());
        let width = self.width.filter(|_| line.into.is_none());
        let outcome = Desk::open(self.stage.desk(line.first()), &mut data, &mut words, width)
            .and_then(|mut desk| desk.execute(cli.command));
        match &line.into {
            None => self.out.write_all(&data)?,
            Some(path) => fs::write(path, data).map_err(|error| Failure::File {
                path: path.display().to_string(),
                error,
            })?,
        }
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
            self.failed.push(format!(
                "{}: exit {code}, and {expected} was expected",
                line.first()
            ));
        }
        self.out.flush()?;
        Ok(code)
    }

    fn desk<T>(&self, ask: impl FnOnce(&Desk<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        let (mut data, mut words) = (Vec::new(), Vec::new());
        let desk = Desk::open(self.stage.desk("hcnctl demo"), &mut data, &mut words, None)?;
        ask(&desk)
    }
}

/// A command line of the story.
struct Line {
    /// What is carried out.
    real: String,
    /// What is printed, a document on standard input included.
    shown: String,
    /// Where its output goes, where that is a file.
    into: Option<PathBuf>,
}

impl Line {
    /// One that is what it looks like.
    fn plain(line: &str) -> Line {
        Line {
            real: line.to_owned(),
            shown: line.to_owned(),
            into: None,
        }
    }

    /// The command without the document that follows it.
    fn first(&self) -> &str {
        self.shown.lines().next().unwrap_or_default()
    }
}

/// Something to compare with.
enum Before {
    /// A moment of the log.
    Moment(u64),
    /// A listing in a file, where the HNS keeps no log.
    Listing(PathBuf),
}
