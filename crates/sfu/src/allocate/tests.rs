//! The rules one by one, then what holds for any meeting on any path.

use proptest::prelude::*;

use super::*;

const KBPS: u64 = 1000;
const BIG: TileSize = TileSize { width: 1280, height: 720 };
const THUMB: TileSize = TileSize { width: 320, height: 180 };
const HIDDEN: TileSize = TileSize { width: 0, height: 0 };

/// A camera in three encodings: 150, 500 and 1,700 kbit/s.
fn camera() -> ArrayVec<Offered, RUNGS_MAX> {
    [(320 * 180, 150), (640 * 360, 500), (1280 * 720, 1700)]
        .into_iter()
        .zip(0u8..)
        .map(|((area, kbps), i)| Offered::new(Rung::whole(i, area, Bitrate::from_kbps(kbps))))
        .collect()
}

fn one(kbps: u64, area: u64) -> ArrayVec<Offered, RUNGS_MAX> {
    ArrayVec::from_iter([Offered::new(Rung::whole(0, area, Bitrate::from_kbps(kbps)))])
}

fn wish(line: u16, class: Class, tile: TileSize) -> Wish {
    let offers = if class == Class::Sound { one(40, 0) } else { camera() };
    Wish { line, class, tile, requested: None, offers, current: None, may_rise: true }
}

fn estimate(kbps: u64) -> Budget {
    Budget { estimate: Some(Bitrate::from_kbps(kbps)), cap: None }
}

/// Encodings by wish; 9 is nothing.
fn encodings(outcome: &Outcome) -> Vec<u8> {
    outcome.decisions.iter().map(|d| d.rung.map_or(9, |r| r.encoding)).collect()
}

/// The plan carried out.
fn settled(wishes: &[Wish], outcome: &Outcome) -> Vec<Wish> {
    let next = wishes.iter().zip(&outcome.decisions);
    next.map(|(w, d)| Wish { current: d.rung.map(|r| r.key()), ..w.clone() }).collect()
}

#[test]
fn a_budget_is_shared_by_importance() {
    use Class::{Other, Screen, Sound, Speaker};
    type Row = (&'static str, &'static [(Class, TileSize)], u64, &'static [u8]);
    let table: &[Row] = &[
        ("all that is needed", &[(Other, BIG), (Other, THUMB)], 3000, &[2, 0]),
        ("everybody's lowest first", &[(Other, BIG), (Other, BIG), (Other, BIG)], 460, &[0, 0, 0]),
        ("the middle for all before the top for one", &[(Other, BIG), (Other, BIG)], 1700, &[1, 1]),
        ("the speaker first", &[(Other, BIG), (Speaker, BIG)], 2200, &[0, 2]),
        ("a screen before the speaker", &[(Speaker, BIG), (Screen, BIG)], 2200, &[0, 2]),
        ("what is left goes on to others", &[(Speaker, BIG), (Other, BIG)], 2700, &[2, 1]),
        ("a screen that cannot rise leaves it to others", &[(Screen, BIG), (Other, BIG)], 1400, &[1, 1]),
        ("sound before the picture", &[(Sound, BIG), (Other, BIG)], 190, &[0, 0]),
        ("sound alone", &[(Sound, BIG), (Other, BIG)], 180, &[0, 9]),
        ("sound even above the budget", &[(Sound, BIG), (Sound, BIG)], 50, &[0, 0]),
        ("the large tile when not all fit", &[(Other, THUMB), (Other, BIG)], 200, &[9, 0]),
        ("the screen when not all fit", &[(Other, BIG), (Screen, THUMB)], 200, &[9, 0]),
        ("no margin, no raise", &[(Other, BIG)], 570, &[0]),
        ("a margin", &[(Other, BIG)], 580, &[1]),
        ("nothing at all", &[(Other, BIG)], 0, &[9]),
        ("hidden tiles cost nothing", &[(Speaker, HIDDEN), (Other, BIG)], 2000, &[9, 2]),
    ];
    for (what, slots, kbps, expected) in table {
        let wishes: Vec<Wish> =
            slots.iter().zip(0..).map(|((class, tile), i)| wish(i, *class, *tile)).collect();
        assert_eq!(&encodings(&allocate(estimate(*kbps), &wishes)), expected, "{what}");
    }
}

#[test]
fn the_reason_says_what_it_would_take() {
    use LayerReason::{Bandwidth, Cap, Hidden, Inactive, Requested, TileSize as Tile};
    let reason = |budget: Budget, wish: Wish| allocate(budget, &[wish]).decisions[0].reason;
    let big = || wish(0, Class::Other, BIG);
    let silent_top = || {
        let mut wish = big();
        wish.offers[2].available = false;
        wish
    };
    let capped = |estimate: Option<u64>, cap| Budget {
        estimate: estimate.map(Bitrate::from_kbps),
        cap: Some(Bitrate::from_kbps(cap)),
    };
    assert_eq!(reason(Budget::default(), big()), Tile);
    assert_eq!(reason(Budget::default(), silent_top()), Inactive);
    assert_eq!(reason(estimate(400), silent_top()), Bandwidth);
    assert_eq!(reason(Budget::default(), Wish { offers: ArrayVec::new(), ..big() }), Inactive);
    assert_eq!(reason(Budget::default(), Wish { tile: HIDDEN, ..big() }), Hidden);
    assert_eq!(reason(Budget::default(), Wish { requested: Some(Named::whole(0)), ..big() }), Requested);
    assert_eq!(reason(estimate(1000), Wish { requested: Some(Named::whole(2)), ..big() }), Bandwidth);
    assert_eq!(reason(capped(Some(2500), 1000), big()), Cap);
    assert_eq!(reason(capped(None, 1000), big()), Cap);
    assert_eq!(reason(capped(Some(900), 1000), big()), Bandwidth);
    assert_eq!(reason(estimate(10), big()), Bandwidth);
}

#[test]
fn without_an_estimate_everybody_gets_what_the_tile_needs() {
    let wishes: Vec<Wish> = (0..40).map(|i| wish(i, Class::Other, BIG)).collect();
    let outcome = allocate(Budget::default(), &wishes);
    assert!(encodings(&outcome).iter().all(|e| *e == 2));
    assert_eq!(
        (outcome.used, outcome.wanted),
        (Bitrate::from_kbps(40 * 1700), Bitrate::from_kbps(40 * 1700))
    );
}

#[test]
fn what_was_asked_for_by_name_falls_to_a_lower_rung_rather_than_freeze() {
    let named =
        |encoding, tile| Wish { requested: Some(Named::whole(encoding)), ..wish(0, Class::Other, tile) };
    let given = |kbps, wish: Wish| encodings(&allocate(estimate(kbps), &[wish]));
    assert_eq!(given(3000, named(2, THUMB)), [2], "also for a small tile");
    assert_eq!(given(3000, named(0, BIG)), [0]);
    assert_eq!(given(1000, named(2, THUMB)), [1]);
    assert_eq!(given(200, named(2, THUMB)), [0]);
    assert_eq!(given(3000, named(2, HIDDEN)), [9]);
    let mut silent = named(2, BIG);
    silent.offers[2].available = false;
    let outcome = allocate(Budget::default(), &[silent.clone()]);
    let Decision { rung, reason, lacks, .. } = outcome.decisions[0];
    assert_eq!(
        (rung.map(|r| r.encoding), reason, lacks),
        (Some(1), LayerReason::Inactive, Some(2)),
        "while silent"
    );
    silent.offers.iter_mut().for_each(|o| o.available = false);
    assert_eq!(encodings(&allocate(Budget::default(), &[silent])), [2], "waited for if nothing comes");
}

#[test]
fn up_with_a_margin_and_not_soon_after_a_step_down() {
    let mut wishes = vec![wish(0, Class::Other, BIG)];
    let step = |wishes: &mut Vec<Wish>, kbps| {
        let outcome = allocate(estimate(kbps), wishes);
        *wishes = settled(wishes, &outcome);
        encodings(&outcome)[0]
    };
    assert_eq!(step(&mut wishes, 2000), 2);
    assert_eq!(step(&mut wishes, 1700), 2, "kept as long as it fits");
    assert_eq!(step(&mut wishes, 1699), 1, "down at once");
    assert_eq!(step(&mut wishes, 1900), 1, "up only with a margin");
    wishes[0].may_rise = false;
    assert_eq!(step(&mut wishes, 9000), 1);
    wishes[0].may_rise = true;
    assert_eq!(step(&mut wishes, 1955), 2);
    assert_eq!(step(&mut wishes, 130), 0, "a picture is kept through a small shortage");
    assert_eq!(step(&mut wishes, 119), 9);
    assert_eq!(step(&mut wishes, 149), 9);
    assert_eq!(step(&mut wishes, 150), 0);
}

#[test]
fn temporal_layers_are_rungs_between_sizes() {
    let rung = |spatial, temporal, kbps, area, frames_pct| {
        let cost = Bitrate::from_kbps(kbps);
        Offered::new(Rung { encoding: 0, spatial, temporal, cost, area, frames_pct })
    };
    let offers = ArrayVec::from_iter([
        rung(0, 0, 60, 57_600, 25),
        rung(0, 1, 150, 57_600, 100),
        rung(1, 0, 250, 230_400, 25),
        rung(1, 1, 600, 230_400, 100),
    ]);
    let given = |kbps| {
        let wish = Wish { offers: offers.clone(), ..wish(0, Class::Other, BIG) };
        allocate(estimate(kbps), &[wish]).decisions[0].rung.map(|r| (r.spatial, r.temporal))
    };
    assert_eq!(given(50), None);
    assert_eq!(given(100), Some((0, 0)));
    assert_eq!(given(200), Some((0, 1)));
    assert_eq!(given(400), Some((1, 0)));
    assert_eq!(given(700), Some((1, 1)));
}

#[test]
fn a_rung_that_costs_as_much_as_a_better_one_is_no_step() {
    let mut wish = wish(0, Class::Other, BIG);
    wish.offers[0].rung.cost = Bitrate::from_kbps(600);
    assert_eq!(encodings(&allocate(estimate(550), &[wish])), [1]);
}

fn any_class() -> impl Strategy<Value = Class> {
    prop_oneof![
        1 => Just(Class::Sound),
        1 => Just(Class::Screen),
        1 => Just(Class::Speaker),
        4 => Just(Class::Other),
    ]
}

fn any_wish() -> impl Strategy<Value = Wish> {
    let tile = prop_oneof![
        1 => Just(HIDDEN),
        1 => Just(TileSize::UNKNOWN),
        6 => (16u16..2000, 16u16..1200).prop_map(|(width, height)| TileSize { width, height }),
    ];
    let area = prop_oneof![1 => Just(0u64), 6 => 10_000u64..4_000_000];
    let rung = (0u8..3, 0u8..3, 20u64..4000, area, 25u8..=100, prop::bool::weighted(0.85));
    let rungs = prop::collection::vec(rung, 0..6);
    let current = prop::option::of(0usize..6);
    let named = (0u8..5, 0u8..3).prop_map(|(encoding, spatial_max)| Named { encoding, spatial_max });
    let requested = prop::option::weighted(0.1, named);
    (any_class(), tile, rungs, current, requested, any::<bool>()).prop_map(
        |(class, tile, rungs, current, requested, may_rise)| {
            let offers: ArrayVec<Offered, RUNGS_MAX> = rungs
                .into_iter()
                .zip(0u8..)
                .map(|((spatial, temporal, kbps, area, frames_pct, available), encoding)| {
                    let cost = Bitrate::from_kbps(kbps);
                    let rung = Rung { encoding, spatial, temporal, cost, area, frames_pct };
                    Offered { rung, available, flowing: available }
                })
                .collect();
            let current = current.and_then(|i| offers.get(i)).map(|o| o.rung.key());
            Wish { line: 0, class, tile, requested, offers, current, may_rise }
        },
    )
}

fn any_wishes() -> impl Strategy<Value = Vec<Wish>> {
    prop::collection::vec(any_wish(), 0..14).prop_map(|mut wishes| {
        wishes.iter_mut().zip(0..).for_each(|(wish, line)| wish.line = line);
        wishes
    })
}

/// Plans again and again with these budgets; gives the plans.
fn play(wishes: &[Wish], kbps: impl IntoIterator<Item = u64>) -> Vec<Vec<Option<RungKey>>> {
    let mut wishes = wishes.to_vec();
    let plan = |kbps| {
        let outcome = allocate(estimate(kbps), &wishes);
        wishes = settled(&wishes, &outcome);
        outcome.decisions.iter().map(|d| d.rung.map(|r| r.key())).collect()
    };
    kbps.into_iter().map(plan).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_budget_is_kept_unless_only_lowest_rungs_are_left(wishes in any_wishes(), kbps in 0u64..12_000) {
        let outcome = allocate(estimate(kbps), &wishes);
        let (mut sound, mut pictures, mut all_lowest) = (0, 0, true);
        for (wish, decision) in wishes.iter().zip(&outcome.decisions) {
            let Some(rung) = decision.rung else { continue };
            let ladder = Ladder::new(wish);
            if wish.class == Class::Sound {
                sound += rung.cost.as_bps();
            } else {
                pictures += rung.cost.as_bps();
                all_lowest &= ladder.rungs.first() == Some(&rung);
            }
        }
        let (budget, used) = (kbps * KBPS, sound + pictures);
        let kept = pictures == 0 || used <= budget;
        prop_assert!(kept || (all_lowest && used <= budget * SHORTAGE_PCT / 100));
        prop_assert_eq!(outcome.used.as_bps(), used);
        prop_assert!(outcome.used <= outcome.wanted);
    }

    #[test]
    fn nobody_gets_what_is_hidden_silent_or_larger_than_needed(
        wishes in any_wishes(),
        kbps in prop::option::of(0u64..12_000),
    ) {
        let budget = Budget { estimate: kbps.map(Bitrate::from_kbps), cap: None };
        for (wish, decision) in wishes.iter().zip(&allocate(budget, &wishes).decisions) {
            let Some(rung) = decision.rung else { continue };
            prop_assert!(!wish.tile.is_hidden());
            let offered = wish.offers.iter().find(|o| o.rung == rung);
            let named = wish.requested.is_some_and(|r| r.encoding == rung.encoding);
            prop_assert!(offered.is_some_and(|o| o.available || named));
            let needed = if wish.requested.is_some() { wish.top() } else { needed(&wish.offers, wish.tile, |o| o.available) };
            prop_assert!(needed.is_some_and(|n| rung.pixels() <= n.pixels()));
        }
    }

    #[test]
    fn sound_is_never_cut(wishes in any_wishes(), kbps in 0u64..2_000) {
        let plenty = allocate(Budget::default(), &wishes);
        let scarce = allocate(estimate(kbps), &wishes);
        for ((wish, plenty), scarce) in wishes.iter().zip(&plenty.decisions).zip(&scarce.decisions) {
            if wish.class == Class::Sound {
                prop_assert_eq!(plenty, scarce);
            }
        }
    }

    #[test]
    fn the_order_of_wishes_means_nothing(
        (wishes, shuffled) in any_wishes().prop_flat_map(|w| (Just(w.clone()), Just(w).prop_shuffle())),
        kbps in 0u64..12_000,
    ) {
        let by_line = |wishes: &[Wish]| {
            let mut decisions = allocate(estimate(kbps), wishes).decisions;
            decisions.sort_by_key(|d| d.line);
            decisions
        };
        prop_assert_eq!(by_line(&wishes), by_line(&shuffled));
    }

    /// The first who gets something else with more budget gets more.
    #[test]
    fn more_budget_is_never_worse(wishes in any_wishes(), kbps in 0u64..8_000, more in 0u64..4_000) {
        let poor = allocate(estimate(kbps), &wishes);
        let rich = allocate(estimate(kbps + more), &wishes);
        let mut order: Vec<usize> = (0..wishes.len()).collect();
        let ladders: Vec<Ladder<'_>> = wishes.iter().map(Ladder::new).collect();
        order.sort_by_key(|i| (wishes[*i].class, Reverse(ladders[*i].tile_pixels), wishes[*i].line));
        let granted = |o: &Outcome, i: usize| o.decisions[i].rung.is_some();
        let first = order.iter().find(|i| granted(&poor, **i) != granted(&rich, **i));
        if let Some(first) = first {
            prop_assert!(granted(&rich, *first));
            return Ok(());
        }
        for class in [Class::Sound, Class::Screen, Class::Speaker, Class::Other] {
            let height = |o: &Outcome, i: usize| {
                let rung = o.decisions[i].rung;
                rung.map_or(0, |r| 1 + ladders[i].rungs.iter().position(|l| *l == r).unwrap_or(0))
            };
            let members = || (0..wishes.len()).filter(|i| wishes[*i].class == class);
            if members().any(|i| height(&poor, i) != height(&rich, i)) {
                prop_assert!(members().any(|i| height(&rich, i) > height(&poor, i)));
                return Ok(());
            }
        }
    }

    /// Among equals it is so for each.
    #[test]
    fn more_budget_takes_nothing_from_equals(tiles in 1u16..12, kbps in 0u64..12_000, more in 0u64..4_000) {
        let wishes: Vec<Wish> = (0..tiles).map(|i| wish(i, Class::Other, BIG)).collect();
        let pictures = |o: &Outcome| o.decisions.iter().map(|d| d.rung.map(|r| r.area)).collect::<Vec<_>>();
        let poor = pictures(&allocate(estimate(kbps), &wishes));
        let rich = pictures(&allocate(estimate(kbps + more), &wishes));
        prop_assert!(poor.iter().zip(&rich).all(|(poor, rich)| poor <= rich), "{poor:?} {rich:?}");
    }

    #[test]
    fn a_budget_that_swings_a_little_changes_nothing_in_the_end(
        wishes in any_wishes(),
        kbps in 100u64..10_000,
        swings in prop::collection::vec(95u64..=105, 1..60),
    ) {
        // The ends of the band often enough for all that can be climbed and lost in it.
        let ends = (0..2 * wishes.len() * RUNGS_MAX).map(|i| if i % 2 == 0 { 95 } else { 105 });
        let count = ends.len();
        let budgets = ends.chain(swings).map(|pct| kbps * pct / 100);
        let wishes: Vec<Wish> = wishes.into_iter().map(|w| Wish { may_rise: true, ..w }).collect();
        let plans = play(&wishes, budgets);
        for pair in plans[count.saturating_sub(1)..].windows(2) {
            prop_assert_eq!(&pair[0], &pair[1]);
        }
    }
}
