use std::collections::BTreeMap;

use super::*;

/// The heatmaps of a live run and of the recorded one, in display order.
const TEXTS: [&str; 24] = [
    "key",
    "key_subS1",
    "key_subWU",
    "key_subWU_subS1",
    "key_split/q par k par",
    "key_split/q par k perp",
    "key_split/q perp k par",
    "key_split/q perp k perp",
    "key_split_subS1/q par k par",
    "key_split_subS1/q par k perp",
    "key_split_subS1/q perp k par",
    "key_split_subS1/q perp k perp",
    "query",
    "query_subS1",
    "query_subMLP0",
    "query_split/q par k par",
    "query_split/q par k perp",
    "query_split/q perp k par",
    "query_split/q perp k perp",
    "query_split_subS1/q par k par",
    "query_split_subS1/q par k perp",
    "query_split_subS1/q perp k par",
    "query_split_subS1/q perp k perp",
    "key_seed42",
];

#[test]
fn a_heatmap_is_read_as_it_is_written() {
    for text in TEXTS {
        let heatmap = HeatmapId::from(text);
        assert!(heatmap.parts().is_some(), "{text}");
        assert_eq!(heatmap.to_string(), text);
        assert_eq!(heatmap.side() == Side::Query, text.starts_with('q'));
        let (group, facet) = heatmap.group_and_facet();
        let again = match facet {
            Some(facet) => HeatmapId::of_facet(&group, &facet),
            None => HeatmapId::from(group),
        };
        assert_eq!(again, heatmap);
        assert_eq!(heatmap.is_facet(), text.contains('/'));
    }
    let parts = HeatmapParts {
        side: Side::Key,
        variant: HeatmapVariant::Facet(Facet::new(SplitPart::Parallel, SplitPart::Perpendicular)),
        minus_s1: true,
        seed: None,
    };
    assert_eq!(HeatmapId::from("key_split_subS1/q par k perp"), parts.into());
    let parts = HeatmapParts {
        seed: Some(42),
        ..HeatmapParts::of(Side::Key)
    };
    assert_eq!(HeatmapId::from("key_seed42"), parts.into());
}

#[test]
fn every_combination_of_parts_has_a_text_of_its_own() {
    let facets = Facet::ALL.map(HeatmapVariant::Facet);
    let plain = [
        HeatmapVariant::Whole,
        HeatmapVariant::FromWu,
        HeatmapVariant::FromMlp0,
        HeatmapVariant::Split,
    ];
    for variant in plain.into_iter().chain(facets) {
        for side in Side::ALL {
            for (minus_s1, seed) in [(false, None), (true, None), (false, Some(0)), (true, Some(u64::MAX))] {
                let parts = HeatmapParts {
                    side,
                    variant,
                    minus_s1,
                    seed,
                };
                assert_eq!(HeatmapId::from(parts.to_string()), HeatmapId::Ours(parts));
            }
        }
    }
}

#[test]
fn heatmaps_are_keys_of_json_in_the_order_in_which_they_are_offered() {
    let all = TEXTS.into_iter().chain(["value", "_", "key_split/all", "/"]);
    let map: BTreeMap<HeatmapId, usize> = all.map(|text| (text.into(), 1)).collect();
    let order: Vec<String> = map.keys().map(HeatmapId::to_string).collect();
    let (ours, last) = order.split_at(24);
    let others = |text: &&str| *text != "key_split/all" && *text != "key_seed42";
    let mut expected: Vec<&str> = TEXTS.into_iter().filter(others).collect();
    expected.insert(4, "key_split/all");
    assert_eq!(ours, expected);
    assert_eq!(last, ["/", "_", "key_seed42", "value"]);
    let json = serde_json::to_string(&map).expect("is written");
    assert_eq!(
        serde_json::from_str::<BTreeMap<HeatmapId, usize>>(&json).expect("is read"),
        map
    );
}

#[test]
fn names_from_elsewhere_stand_for_themselves() {
    for text in [
        "",
        "value",
        "_",
        "/",
        "key_",
        "key_other",
        "key_subS1_subWU",
        "key_seed",
        "key_seed042",
        "key_seed-1",
        "key/q par k par",
        "key_split/q par k",
        "key_split/q par k par/",
        "Key",
    ] {
        let heatmap = HeatmapId::from(text);
        assert_eq!(heatmap, HeatmapId::Other(UnknownName::new(text)));
        assert_eq!(heatmap.to_string(), text);
        assert_eq!(heatmap.side(), Side::Key);
    }
    assert_eq!(HeatmapId::from("query_other").side(), Side::Query);
    let facet = HeatmapId::from("a/b/c").group_and_facet();
    assert_eq!(facet, ("a".to_owned(), Some("b/c".to_owned())));
    assert!(HeatmapId::is_group("a_b") && !HeatmapId::is_group("a/b"));
}

#[test]
fn titles_name_side_variant_and_facet() {
    let title = |text: &str| HeatmapId::from(text).in_title();
    assert_eq!(title("key"), "key side");
    assert_eq!(
        title("key_subWU_subS1"),
        "key side, query from W_U[IO], minus END\u{2192}S1"
    );
    assert_eq!(
        title("query_split/q par k perp"),
        "query side, q \u{2225} W_U[IO], k \u{27c2} MLP 0"
    );
    assert_eq!(title("value_x/y"), "value_x/y");
    assert_eq!(title(""), "");
}
