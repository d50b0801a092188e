// SPDX-License-Identifier: MIT OR Apache-2.0
//! The switches of hns-behaviour section 4: what the record leaves open, or what versions of HNS do differently.
//!
//! The defaults are those of section 8; a profile of the service sets them per HNS version.

use hcn_schema::policy::AclRuleType;

/// What happens to traffic that no rule names once an endpoint has any ACL (Q2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultDeny {
    /// Blocked in both directions.
    BothDirections,
    /// Blocked only in the directions that have a rule.
    RuledDirections,
    /// Allowed: rules only take away.
    Never,
}

/// Which rule wins among those of one priority (Q1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    /// Block.
    BlockWins,
    /// The one that was added first.
    FirstWins,
}

/// What several IP sets in one address field mean (Q14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeveralSets {
    /// An address must be in all of them.
    Intersection,
    /// An address must be in one of them.
    Union,
}

/// The switches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Semantics {
    /// Q2.
    pub default_deny: DefaultDeny,
    /// Q1.
    pub tie: Tie,
    /// Q3: whether a Host rule alone turns on the default deny of the Switch layer.
    pub host_rule_flips_switch: bool,
    /// Q33: whether protocols other than TCP, UDP, ICMP and IGMP are dropped on the way in where an endpoint on a NAT or Transparent
    /// network has no Host rule that decides.
    pub drop_other_protocols_in: bool,
    /// Q13: whether a flow that no tier decides is blocked.
    pub tier_default_deny: bool,
    /// 4.1: whether ACLs on endpoints of NAT networks have an effect (not on Windows Server 2025 before April 2026).
    pub acl_on_nat: bool,
    /// Q4: whether a Switch rule without a priority, or with priority 0, is refused; taken, it is the strongest.
    pub refuse_switch_priority_zero: bool,
    /// Q5: whether priorities over 65500 are refused.
    pub refuse_priority_over_65500: bool,
    /// Q14.
    pub several_sets: SeveralSets,
    /// Q17: what a rule without `RuleType` is.
    pub omitted_rule_type: AclRuleType,
    /// Q9: whether Out rules see the backend of a load balancer with direct server return, and not its virtual address.
    pub direct_out_sees_backend: bool,
    /// Q10: idle time after which a flow is forgotten, in milliseconds.
    pub flow_idle_ms: u64,
    /// Q11: whether open flows are judged again when the rules change.
    pub rejudge_open_flows: bool,
}

impl Default for Semantics {
    fn default() -> Self {
        Semantics {
            default_deny: DefaultDeny::BothDirections,
            tie: Tie::BlockWins,
            host_rule_flips_switch: false,
            drop_other_protocols_in: false,
            tier_default_deny: true,
            acl_on_nat: true,
            refuse_switch_priority_zero: false,
            refuse_priority_over_65500: true,
            several_sets: SeveralSets::Intersection,
            omitted_rule_type: AclRuleType::Switch,
            direct_out_sees_backend: true,
            flow_idle_ms: 240_000,
            rejudge_open_flows: true,
        }
    }
}

/// A guess of some semantics, and the semantics in which it is made otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenQuestion {
    /// Its number in hns-behaviour section 8.
    pub number: &'static str,
    /// What would be so otherwise, in a sentence without a full stop.
    pub otherwise: &'static str,
    /// The same semantics but for this.
    pub semantics: Semantics,
}

impl Semantics {
    /// These, where it matters only what becomes of a new flow and not what is admitted or how long flows live.
    #[must_use]
    pub(crate) fn for_verdicts(&self) -> Semantics {
        let usual = Semantics::default();
        Semantics {
            refuse_switch_priority_zero: usual.refuse_switch_priority_zero,
            refuse_priority_over_65500: usual.refuse_priority_over_65500,
            flow_idle_ms: usual.flow_idle_ms,
            rejudge_open_flows: usual.rejudge_open_flows,
            ..self.clone()
        }
    }

    /// What the record leaves open and a verdict may hang on, each answered the other way than here.
    pub fn open_questions(&self) -> Vec<OpenQuestion> {
        let question = |number, otherwise, change: &dyn Fn(&mut Semantics)| {
            let mut semantics = self.clone();
            change(&mut semantics);
            OpenQuestion {
                number,
                otherwise,
                semantics,
            }
        };
        let yes_or_no = |is: bool, if_not: &'static str, if_so: &'static str| match is {
            true => if_so,
            false => if_not,
        };
        vec![
            match self.tie {
                Tie::BlockWins => question(
                    "Q1",
                    "of equal priorities, the rule added first wins",
                    &|own| {
                        own.tie = Tie::FirstWins;
                    },
                ),
                Tie::FirstWins => question("Q1", "of equal priorities, Block wins", &|own| {
                    own.tie = Tie::BlockWins;
                }),
            },
            match self.default_deny {
                DefaultDeny::BothDirections => question(
                    "Q2",
                    "a rule turns the default deny on in its own direction only",
                    &|own| own.default_deny = DefaultDeny::RuledDirections,
                ),
                DefaultDeny::RuledDirections | DefaultDeny::Never => question(
                    "Q2",
                    "any rule turns the default deny on in both directions",
                    &|own| own.default_deny = DefaultDeny::BothDirections,
                ),
            },
            question(
                "Q3",
                yes_or_no(
                    self.host_rule_flips_switch,
                    "a Host rule alone turns on the default deny of the Switch layer",
                    "a Host rule alone leaves the Switch layer open",
                ),
                &|own| own.host_rule_flips_switch = !own.host_rule_flips_switch,
            ),
            question(
                "Q9",
                yes_or_no(
                    self.direct_out_sees_backend,
                    "Out rules see the backend of a load balancer with direct server return",
                    "Out rules see the virtual address of a load balancer with direct server return",
                ),
                &|own| own.direct_out_sees_backend = !own.direct_out_sees_backend,
            ),
            question(
                "Q13",
                yes_or_no(
                    self.tier_default_deny,
                    "what no tier decides is blocked",
                    "what no tier decides goes on",
                ),
                &|own| own.tier_default_deny = !own.tier_default_deny,
            ),
            match self.several_sets {
                SeveralSets::Intersection => question(
                    "Q14",
                    "an address need be in one only of several IP sets of a field",
                    &|own| own.several_sets = SeveralSets::Union,
                ),
                SeveralSets::Union => question(
                    "Q14",
                    "an address must be in all IP sets of a field",
                    &|own| own.several_sets = SeveralSets::Intersection,
                ),
            },
            match self.omitted_rule_type {
                AclRuleType::Switch => {
                    question("Q17", "a rule without RuleType is a Host rule", &|own| {
                        own.omitted_rule_type = AclRuleType::Host;
                    })
                }
                AclRuleType::Host => {
                    question("Q17", "a rule without RuleType is a Switch rule", &|own| {
                        own.omitted_rule_type = AclRuleType::Switch;
                    })
                }
            },
            question(
                "Q33",
                yes_or_no(
                    self.drop_other_protocols_in,
                    "NAT and Transparent networks take in nothing but TCP, UDP, ICMP and IGMP unasked",
                    "NAT and Transparent networks take in every protocol",
                ),
                &|own| own.drop_other_protocols_in = !own.drop_other_protocols_in,
            ),
        ]
    }
}
