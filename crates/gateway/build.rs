//! The web client is embedded from `web/apps/meet/dist`. A checkout in which it was not built yet still compiles: it
//! gets a page that says how to build it.

use std::path::Path;

const PAGE: &str = r#"<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width" />
    <title>Althing</title>
  </head>
  <body>
    <h1>The web client is not built</h1>
    <p>The server runs, but it was compiled before the web client was built. In the project's folder, <code>make run</code>
    builds both. By hand: <code>cd web &amp;&amp; npm ci &amp;&amp; npm run build</code>, then build the server again.</p>
  </body>
</html>
"#;

fn main() {
    let dist = Path::new("../../web/apps/meet/dist");
    if !dist.join("index.html").exists() {
        let made = std::fs::create_dir_all(dist).and_then(|()| std::fs::write(dist.join("index.html"), PAGE));
        if let Err(error) = made {
            println!("cargo:warning=cannot make {}: {error}", dist.display());
        }
    }
    println!("cargo:rerun-if-changed=build.rs");
    // A development build reads the files when it serves them (see `rust-embed`): only others embed them.
    if std::env::var_os("CARGO_CFG_DEBUG_ASSERTIONS").is_none() {
        println!("cargo:rerun-if-changed={}", dist.display());
    }
}
