// SPDX-License-Identifier: MIT OR Apache-2.0
//! The switches of hns-behaviour section 4: what the record leaves open, or what versions of HNS do differently.
//!
//! The defaults are those of section 8; a profile of the service sets them per HNS version.

use hcn_schema::{Policy, policy::AclRuleType};

use crate::{
    parts::{self, Part, Parts},
    sets::Sets,
    setting::{Setting, Values, Word},
    words,
};

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

/// What becomes of a policy that the HNS does not have (Q63).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownPolicies {
    /// It is refused, or kept without effect: for a verdict that is one.
    LeftOut,
    /// It has its effect all the same.
    Followed,
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
    /// 2.9: what the HNS does not have.
    pub lacks: Parts,
    /// Q63.
    pub unknown_policies: UnknownPolicies,
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
            lacks: Parts::NONE,
            unknown_policies: UnknownPolicies::LeftOut,
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

macro_rules! part {
    ($part:ident, $name:literal, $words:literal) => {
        Setting {
            name: $name,
            question: "2.9",
            decides: concat!("whether the HNS has ", $words),
            values: Values::Words(&[
                Word {
                    name: "yes",
                    is: |own: &Semantics| !own.lacks.has(Part::$part),
                    choose: |own| own.lacks = own.lacks.with(Part::$part, false),
                },
                Word {
                    name: "no",
                    is: |own| own.lacks.has(Part::$part),
                    choose: |own| own.lacks = own.lacks.with(Part::$part, true),
                },
            ]),
        }
    };
}

impl Semantics {
    /// Every switch by its name.
    pub const SETTINGS: &'static [Setting<Semantics>] = &[
        Setting {
            name: "tie",
            question: "Q1",
            decides: "which rule wins among those of one priority",
            values: words!(tie: "block-wins" is Tie::BlockWins, "first-wins" is Tie::FirstWins),
        },
        Setting {
            name: "default-deny",
            question: "Q2",
            decides: "what is dropped that no rule names, once there is one",
            values: words!(default_deny:
                "both-directions" is DefaultDeny::BothDirections,
                "ruled-directions" is DefaultDeny::RuledDirections,
                "never" is DefaultDeny::Never),
        },
        Setting {
            name: "host-rule-flips-switch",
            question: "Q3",
            decides: "whether a Host rule alone turns on the default deny of the Switch layer",
            values: words!(host_rule_flips_switch: "no" is false, "yes" is true),
        },
        Setting {
            name: "switch-priority-zero",
            question: "Q4",
            decides: "what becomes of a Switch rule without a priority, or of priority 0, that is sent; one that is there is the strongest",
            values: words!(refuse_switch_priority_zero: "strongest" is false, "refused" is true),
        },
        Setting {
            name: "priority-over-65500",
            question: "Q5",
            decides: "what becomes of a rule of such a priority that is sent; one that is there is judged as it stands",
            values: words!(refuse_priority_over_65500: "refused" is true, "taken" is false),
        },
        Setting {
            name: "direct-out-sees",
            question: "Q9",
            decides: "what Out rules see of a load balancer with direct server return",
            values: words!(direct_out_sees_backend: "backend" is true, "virtual-address" is false),
        },
        Setting {
            name: "flow-idle-ms",
            question: "Q10",
            decides: "idle time after which a flow is forgotten",
            values: Values::Number {
                within: (1, 86_400_000),
                read: |own: &Semantics| own.flow_idle_ms,
                write: |own, number| own.flow_idle_ms = number,
            },
        },
        Setting {
            name: "open-flows",
            question: "Q11",
            decides: "whether flows that are open are judged again when the rules change",
            values: words!(rejudge_open_flows: "rejudged" is true, "kept" is false),
        },
        Setting {
            name: "tier-default-deny",
            question: "Q13",
            decides: "whether a flow that no tier decides is dropped",
            values: words!(tier_default_deny: "yes" is true, "no" is false),
        },
        Setting {
            name: "several-sets",
            question: "Q14",
            decides: "of several IP sets in one field, in which an address has to be",
            values: words!(several_sets: "all" is SeveralSets::Intersection, "any" is SeveralSets::Union),
        },
        Setting {
            name: "omitted-rule-type",
            question: "Q17",
            decides: "what a rule without RuleType is",
            values: words!(omitted_rule_type: "switch" is AclRuleType::Switch, "host" is AclRuleType::Host),
        },
        Setting {
            name: "other-protocols-in",
            question: "Q33",
            decides: "whether NAT and Transparent networks take in others than TCP, UDP, ICMP, IGMP unasked",
            values: words!(drop_other_protocols_in: "taken" is false, "dropped" is true),
        },
        Setting {
            name: "acl-on-nat",
            question: "4.1",
            decides: "whether rules have an effect on NAT networks",
            values: words!(acl_on_nat: "yes" is true, "no" is false),
        },
        Setting {
            name: "unknown-policies",
            question: "Q63",
            decides: "what becomes of a policy that the HNS does not have",
            values: words!(unknown_policies:
                "left-out" is UnknownPolicies::LeftOut,
                "followed" is UnknownPolicies::Followed),
        },
        part!(TierAcl, "tier-acl", "TierAcl"),
        part!(NetworkAcl, "network-acl", "NetworkACL"),
        part!(
            SetPolicy,
            "set-policy",
            "SetPolicy and rules that name a set"
        ),
        part!(NestedIpSet, "nested-ip-set", "sets of sets"),
        part!(Protocol252, "protocol-252", "protocol 252 in rules"),
        part!(
            DirectServerReturn,
            "direct-server-return",
            "direct server return of load balancers"
        ),
        part!(Ipv6, "ipv6-dual-stack", "IPv6 beside IPv4"),
    ];

    /// What has no part in a verdict though it stands in a document.
    pub fn lacked(&self) -> Parts {
        match self.unknown_policies {
            UnknownPolicies::LeftOut => self.lacks,
            UnknownPolicies::Followed => Parts::NONE,
        }
    }

    /// Whether a policy has no part in a verdict, as the HNS does not have it.
    pub fn leaves_out(&self, policy: &Policy, sets: &Sets) -> bool {
        let lacked = self.lacked();
        !lacked.is_empty() && !parts::of_policy(policy, sets).and(lacked).is_empty()
    }

    /// These, where it matters only what becomes of a new flow and not what is admitted or how long flows live.
    #[must_use]
    pub(crate) fn for_verdicts(&self) -> Semantics {
        let usual = Semantics::default();
        Semantics {
            refuse_switch_priority_zero: usual.refuse_switch_priority_zero,
            refuse_priority_over_65500: usual.refuse_priority_over_65500,
            flow_idle_ms: usual.flow_idle_ms,
            rejudge_open_flows: usual.rejudge_open_flows,
            // All that hangs on both is what is left out.
            lacks: self.lacked(),
            unknown_policies: usual.unknown_policies,
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
            match self.unknown_policies {
                UnknownPolicies::LeftOut => question(
                    "Q63",
                    "what this version of HNS does not have has its effect all the same",
                    &|own| own.unknown_policies = UnknownPolicies::Followed,
                ),
                UnknownPolicies::Followed => question(
                    "Q63",
                    "what this version of HNS does not have is left out",
                    &|own| own.unknown_policies = UnknownPolicies::LeftOut,
                ),
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No two names set the same: each value of each switch that is not the usual one makes other semantics than every other, and the usual one
    /// makes the usual ones again.
    #[test]
    fn every_value_of_every_switch_makes_semantics_of_its_own() {
        let usual = Semantics::default();
        let mut made = vec![usual.clone()];
        for setting in Semantics::SETTINGS {
            let Values::Words(words) = &setting.values else {
                continue;
            };
            let own = setting.value(&usual);
            for word in words.iter().filter(|word| word.name != own) {
                let mut other = usual.clone();
                assert!(setting.set(&mut other, word.name));
                assert_eq!(setting.value(&other), word.name);
                assert!(!made.contains(&other), "{} {}", setting.name, word.name);
                assert!(setting.set(&mut other, &own));
                assert_eq!(other, usual, "{} {own}", setting.name);
                assert!(setting.set(&mut other, word.name));
                made.push(other);
            }
            assert!(!setting.set(&mut usual.clone(), "other"));
        }
        let parts = Part::ALL.iter().map(|part| part.key());
        for name in parts {
            assert!(Semantics::SETTINGS.iter().any(|own| own.name == name));
        }
    }

    #[test]
    fn a_number_is_taken_within_its_bounds() {
        let mut own = Semantics::default();
        let idle = Semantics::SETTINGS
            .iter()
            .find(|own| own.name == "flow-idle-ms");
        let idle = idle.unwrap();
        assert!(idle.set(&mut own, "1000"));
        assert_eq!(
            (own.flow_idle_ms, idle.value(&own)),
            (1000, "1000".to_owned())
        );
        for bad in ["", "0", "-1", "+5", "1s", "99999999999"] {
            assert!(!idle.set(&mut own, bad), "{bad:?}");
        }
    }
}
