// SPDX-License-Identifier: MIT OR Apache-2.0
//! One run of the program: the connection, where output goes, and the way to the command.

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
};

use hcn::{
    Client, ConnectOptions, Connection, DryRun, Hns, Lab, Target, connect,
    service::{Ids, RandomIds, profile::ProfileChoice},
    target::default_state,
};

use crate::{
    cli::{Cli, Command, Globals},
    commands,
    failure::Failure,
    outlet::Outlet,
};

/// What a command ends with: its exit code.
pub type Outcome = Result<u8, Failure>;

/// One run.
pub struct Desk<'a> {
    connection: Arc<Connection>,
    target: Target,
    state: Option<PathBuf>,
    client: Client,
    dry_run: Option<Arc<DryRun>>,
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Standard error: words about what goes on.
    pub words: &'a mut dyn Write,
    /// Columns of the terminal; `None` where standard output is none.
    pub width: Option<usize>,
}

/// How a desk is opened.
pub struct DeskOptions {
    /// Which HNS.
    pub target: Target,
    /// Where containers are kept beside an HNS that keeps none.
    pub state: Option<PathBuf>,
    /// Version of HNS, and its switches.
    pub profile: ProfileChoice,
    /// Whether changes are printed instead of made.
    pub dry_run: bool,
    /// The command, for the operation log.
    pub actor: String,
}

/// Carries out a command line on the program's own standard output.
///
/// # Errors
/// [`Failure`], to be printed on standard error.
pub fn run(cli: Cli) -> Outcome {
    let stdout = io::stdout();
    let width = io::IsTerminal::is_terminal(&stdout).then(terminal_width);
    let mut out = io::BufWriter::with_capacity(1 << 16, Outlet::data(stdout.lock()));
    let mut words = Outlet::words(io::stderr());
    let result = dispatch(cli, &mut out, &mut words, width);
    let flushed = out.flush();
    let code = result?;
    flushed?;
    Ok(code)
}

/// Carries out a command line.
///
/// # Errors
/// [`Failure`], to be printed on standard error.
pub fn dispatch(
    cli: Cli,
    out: &mut dyn Write,
    words: &mut dyn Write,
    width: Option<usize>,
) -> Outcome {
    match &cli.command {
        // These need no HNS.
        Command::Diff(args) => {
            if let Some(code) = commands::diff::run_on_files(args, out, words)? {
                return Ok(code);
            }
        }
        Command::Lint(args) => {
            if let Some(code) = commands::lint::run_alone(args, &cli.globals, out, words)? {
                return Ok(code);
            }
        }
        Command::Reach(args) => {
            if let Some(code) = commands::reach::run_on_files(args, &cli.globals, out, words)? {
                return Ok(code);
            }
        }
        Command::Can(args) => {
            if let Some(code) = commands::why::can_on_file(args, &cli.globals, out, words)? {
                return Ok(code);
            }
        }
        Command::Why(args) => {
            if let Some(code) = commands::why::run_on_file(args, &cli.globals, out, words)? {
                return Ok(code);
            }
        }
        Command::Completions(args) => return commands::completions::run(args, out),
        Command::Demo(args) => return commands::demo::run(args, &cli.globals, out, words, width),
        Command::Serve(args) if args.openapi => return commands::serve::openapi(out),
        _ => {}
    }
    let options = DeskOptions {
        target: target_of(&cli.globals)?,
        state: state_of(&cli.globals),
        profile: cli.globals.profile.clone().unwrap_or_default(),
        dry_run: cli.globals.dry_run,
        actor: actor(std::env::args().skip(1)),
    };
    let mut desk = Desk::open(options, out, words, width)?;
    desk.execute(cli.command)
}

/// The command line for the operation log, without the options that only say which HNS.
fn actor(words: impl Iterator<Item = String>) -> String {
    const WHICH: [&str; 3] = ["--host", "--state", "--profile"];
    let mut line = "hcnctl".to_owned();
    let mut skip = false;
    for word in words {
        if std::mem::take(&mut skip) {
            continue;
        }
        let name = word.split('=').next().unwrap_or_default();
        if WHICH.contains(&name) {
            skip = !word.contains('=');
            continue;
        }
        line.push(' ');
        line.push_str(&word);
    }
    line
}

/// The state directory that the options name. A variable that is set to nothing is as good as not set.
pub(crate) fn state_of(globals: &Globals) -> Option<PathBuf> {
    globals
        .state
        .as_ref()
        .filter(|state| !state.is_empty())
        .map(PathBuf::from)
}

/// The HNS that the options name. The state directory is an embedded one's; beside another HNS it only keeps the containers.
pub(crate) fn target_of(globals: &Globals) -> Result<Target, Failure> {
    let state = state_of(globals);
    let usual = match &state {
        // Where there is a real HNS, it is meant, unless somebody names a directory.
        None if cfg!(windows) => Target::Native(None),
        _ => Target::Embedded(None),
    };
    let folder = match globals.host.clone().unwrap_or(usual) {
        Target::Embedded(folder) => folder,
        other => return Ok(other),
    };
    match (folder, state) {
        (Some(one), Some(other)) if one != other => Err(Failure::Usage(format!(
            "--host names the directory {} and --state names {}; give one of them",
            one.display(),
            other.display()
        ))),
        (folder, state) => Ok(Target::Embedded(folder.or(state))),
    }
}

/// Columns of the terminal, 80 where it does not tell.
fn terminal_width() -> usize {
    clap_width().unwrap_or(80)
}

/// The table library asks the terminal, so that there is one opinion on it.
fn clap_width() -> Option<usize> {
    comfy_table::Table::new().width().map(usize::from)
}

impl<'a> Desk<'a> {
    /// Opens the HNS.
    ///
    /// # Errors
    /// Where the store cannot be used.
    pub fn open(
        options: DeskOptions,
        out: &'a mut dyn Write,
        words: &'a mut dyn Write,
        width: Option<usize>,
    ) -> Result<Desk<'a>, Failure> {
        let connection = connect(
            &options.target,
            ConnectOptions {
                version: options.profile.version,
                switches: options.profile.switches,
                actor: options.actor,
                state: options.state.clone(),
                ..ConnectOptions::default()
            },
        )
        .map_err(Failure::hns(format!("open the HNS {}", options.target)))?;
        let dry_run = options
            .dry_run
            .then(|| Arc::new(DryRun::new(connection.hns(), Arc::new(RandomIds))));
        let hns: Arc<dyn Hns> = match &dry_run {
            Some(dry_run) => dry_run.clone(),
            None => connection.hns(),
        };
        Ok(Desk {
            connection: Arc::new(connection),
            target: options.target,
            state: options.state,
            client: Client::new(hns),
            dry_run,
            out,
            words,
            width,
        })
    }

    /// Carries out a command on the open HNS, and prints the requests of a dry run.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn execute(&mut self, command: Command) -> Outcome {
        let code = match command {
            Command::Get(args) => commands::get::run(self, &args),
            Command::Describe(args) => commands::describe::run(self, &args),
            Command::Create(args) => commands::create::run(self, &args),
            Command::Delete(args) => commands::delete::run(self, &args),
            Command::Run(args) => commands::run::run(self, &args),
            Command::Rm(args) => commands::run::remove(self, &args),
            Command::Ps(args) => commands::run::list(self, &args),
            Command::Acl(args) => commands::acl::run(self, &args),
            Command::Block(args) => {
                commands::intent::run(self, hcn::schema::policy::AclAction::Block, &args)
            }
            Command::Allow(args) => {
                commands::intent::run(self, hcn::schema::policy::AclAction::Allow, &args)
            }
            Command::Plan(args) => commands::apply::plan(self, &args),
            Command::Apply(args) => commands::apply::run(self, &args),
            Command::Confirm(args) => commands::apply::confirm::run(self, &args),
            Command::Probe(args) => commands::probe::run(self, &args),
            Command::Reach(args) => commands::reach::run(self, &args),
            Command::Can(args) => commands::why::can(self, &args),
            Command::Why(args) => commands::why::run(self, &args),
            Command::Diff(args) => commands::diff::run(self, &args),
            Command::Lint(args) => commands::lint::run(self, &args),
            Command::History(args) => commands::history::run(self, &args),
            Command::Conformance(args) => commands::conformance::run(self, &args),
            Command::Serve(args) => commands::serve::run(self, &args),
            Command::Demo(_) | Command::Completions(_) => {
                Err(Failure::Usage("this command stands alone".to_owned()))
            }
        }?;
        if let Some(dry_run) = &self.dry_run {
            for request in dry_run.noted() {
                writeln!(self.out, "{request}")?;
            }
        }
        Ok(code)
    }

    /// Typed calls to the HNS; in a dry run, changes are noted.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether changes are only printed.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run.is_some()
    }

    /// The connection.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Which HNS it is.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The state directory: an embedded HNS's, or where hcnctl keeps what another one does not.
    pub fn state(&self) -> PathBuf {
        match (&self.target, &self.state) {
            (Target::Embedded(Some(folder)), _) => folder.clone(),
            (_, Some(folder)) => folder.clone(),
            (_, None) => default_state(),
        }
    }

    /// What there is beside the seam: containers and history.
    pub fn lab(&self) -> &dyn Lab {
        &**self.connection.lab()
    }

    /// A new id.
    pub fn new_id(&self) -> hcn::schema::Guid {
        RandomIds.guid()
    }

    /// Says something on standard error, where going on matters more than being heard.
    pub fn tell(&mut self, text: &str) {
        // A change that is half done is not left so because nobody listens.
        let _ = writeln!(self.words, "{text}");
    }

    /// Says something on standard error.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn say(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.words, "{text}").map_err(Failure::Output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_directory_that_is_set_to_nothing_is_not_set() {
        let of = |words: &[&str]| {
            let cli = <Cli as clap::Parser>::try_parse_from(words).unwrap();
            target_of(&cli.globals).unwrap()
        };
        assert_eq!(of(&["hcnctl", "--state", "", "ps"]), of(&["hcnctl", "ps"]));
        assert_eq!(
            of(&["hcnctl", "--state", "/x", "ps"]),
            Target::Embedded(Some("/x".into()))
        );
    }

    #[test]
    fn the_log_has_the_command_without_the_options_that_say_which_hns() {
        let words = [
            "--state",
            "/x",
            "block",
            "nginx",
            "--host=embedded",
            "--in",
            "80/tcp",
        ];
        assert_eq!(
            actor(words.into_iter().map(str::to_owned)),
            "hcnctl block nginx --in 80/tcp"
        );
    }
}
