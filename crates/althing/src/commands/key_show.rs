//! `althing key show`: how an application's backend gets access tokens: the built-in project's id, and where its
//! private key is.

use std::io::Write;

use crate::cli::Options;
use crate::data_dir::DataDir;
use crate::project_key::ProjectKey;

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let config = crate::config::load(options)?;
    let path = DataDir::project_key_path(&config.data_dir);
    let key = ProjectKey::read(&path)?;
    let url = match &config.public_url {
        Some(url) => format!("{url}/oauth/token"),
        None => "http://localhost:8080/oauth/token, or as you reach this server".to_owned(),
    };
    let mut out = std::io::stdout();
    writeln!(out, "Client id (iss, sub):  {}", key.project_id)?;
    writeln!(out, "Key id (kid):          {}", key.key_id)?;
    writeln!(out, "Private key:           {} (field private_key; keep it secret)", path.display())?;
    writeln!(out, "Algorithms:            RS256, RS384, RS512")?;
    writeln!(out, "Audience (aud):        {url}")?;
    Ok(())
}
