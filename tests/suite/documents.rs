//! What the documents show is what the program reads.

use std::path::Path;

use envirosense::diagnostics::Source;
use envirosense::plugins::EnviroSensePlugins;
use envirosense::simulation::{Request, load_files, new_app, validate_product};

/// The ```` ```ron ```` blocks of a document.
fn blocks(text: &str) -> Vec<String> {
    text.split("```ron\n").skip(1).filter_map(|rest| Some(rest.split_once("\n```")?.0.to_owned())).collect()
}

#[test]
fn every_file_shown_in_a_document_is_accepted() {
    let app = new_app(EnviroSensePlugins);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap().flatten().filter(|e| e.path().extension().is_some_and(|x| x == "md")) {
        for block in blocks(&std::fs::read_to_string(entry.path()).unwrap()) {
            let source = Source::new(entry.path(), block.clone());
            let faults = if block.starts_with("Product") {
                validate_product(&app, &source).err().map(|faults| faults.to_string())
            } else {
                load_files(&app, &source, &Request::default()).err().map(|error| error.to_string())
            };
            assert_eq!(faults, None, "{}", entry.path().display());
            seen += 1;
        }
    }
    assert!(seen >= 2, "no document shows a file");
}
