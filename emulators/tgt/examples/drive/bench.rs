//! Security associations per second: an application client and a device server in one process, and the same client over iSCSI to
//! tgtd, with one session and with several.
//!
//! Each association is the whole exchange of five commands and the Delete. Both figures include the application client's work,
//! which is in this process: in process one thread does all, through tgtd the two processes share the machine's cores. The two take turns.

use std::sync::Arc;
use std::time::{Duration, Instant as Monotonic};

use ikev2_scsi::client::{ApplicationClient, ClientConfig, Command, Outcome, Status, delete};
use ikev2_scsi::keys::SaParameters;
use ikev2_scsi::time::UnixTime;
use ikev2_scsi::{DeviceServer, Instant, NexusId, Reply, Request, provider};
use ikev2_scsi_provisioning::{Provisioning, SystemRandom};

use crate::client::{associate, config, remove};
use crate::iscsi::Result;
use crate::{Bench, rules};

/// Name and preferences.
const SUITES: &[(&str, &str)] = &[
    (
        "AES-CBC-128, SHA-1, MODP-2048, shared key",
        "[\"aes-cbc-128\"] [\"hmac-sha1\"] [\"hmac-sha1-96\"] [\"modp-2048\"] shared-key",
    ),
    (
        "AES-GCM-128, SHA-256, MODP-3072, shared key",
        "[\"aes-gcm-16-128\"] [\"hmac-sha256\"] [\"none\"] [\"modp-3072\"] shared-key",
    ),
    (
        "AES-GCM-128, SHA-256, ECP-256, shared key",
        "[\"aes-gcm-16-128\"] [\"hmac-sha256\"] [\"none\"] [\"ecp-256\"] shared-key",
    ),
    (
        "AES-GCM-256, SHA-512, ECP-521, shared key",
        "[\"aes-gcm-16-256\"] [\"hmac-sha512\"] [\"none\"] [\"ecp-521\"] shared-key",
    ),
    (
        "AES-GCM-128, SHA-256, ECP-256, ECDSA P-256",
        "[\"aes-gcm-16-128\"] [\"hmac-sha256\"] [\"none\"] [\"ecp-256\"] ecdsa-256",
    ),
    (
        "AES-CBC-128, SHA-1, MODP-2048, RSA-2048",
        "[\"aes-cbc-128\"] [\"hmac-sha1\"] [\"hmac-sha1-96\"] [\"modp-2048\"] rsa",
    ),
];
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(400);

fn preferences(words: &str) -> Result<String> {
    let [encryption, prf, integrity, group, method] =
        words.split(' ').collect::<Vec<_>>().try_into().map_err(|_| "a suite has five words")?;
    Ok(format!(
        "\n[preferences]\nencryption = {encryption}\nprf = {prf}\nintegrity = {integrity}\ngroup = {group}\n\
         authentication = [\"{method}\"]\nown_authentication = [\"{method}\"]\n"
    ))
}

/// A device server and a client in one process.
struct Pair {
    server: DeviceServer,
    client: Arc<ClientConfig>,
    begun: Monotonic,
    data_in: Vec<u8>,
}

impl Pair {
    fn new(bench: &Bench, client: Arc<ClientConfig>) -> Result<Self> {
        let path = bench.provisioning.replace("-client.toml", "-server.toml");
        let mut server = Provisioning::load(path)?.device_server(provider::provider())?.build()?;
        server.set_unix_time(UnixTime(seconds()), Instant::from_millis(0));
        Ok(Self { server, client, begun: Monotonic::now(), data_in: vec![0; 1 << 15] })
    }

    fn execute(&mut self, command: &Command) -> Result<(bool, Vec<u8>)> {
        let (cdb, mut data_out) = (command.cdb.to_bytes(), command.data_out.to_vec());
        let request = Request { cdb: &cdb, data_out: &mut data_out, data_in: &mut self.data_in };
        let now = Instant::from_millis(u64::try_from(self.begun.elapsed().as_millis())?);
        match self.server.execute(NexusId(1), request, now, &mut SystemRandom) {
            Reply::Good { len } => Ok((true, self.data_in[..len].to_vec())),
            Reply::CheckCondition(sense) => Ok((false, sense.to_fixed().as_ref().to_vec())),
            Reply::Held(_) => Err("a command is held where nothing is slow".into()),
        }
    }

    fn associate(&mut self) -> Result<SaParameters> {
        let mut client = ApplicationClient::new(Arc::clone(&self.client));
        client.set_unix_time(UnixTime(seconds()));
        loop {
            let command = client.next_command(&mut SystemRandom)?;
            let (good, bytes) = self.execute(&command)?;
            let status = if good { Status::Good(&bytes) } else { Status::CheckCondition(&bytes) };
            if let Outcome::Established(parameters) = client.reply(status)? {
                return Ok(*parameters);
            }
        }
    }

    fn once(&mut self) -> Result<()> {
        let sa = self.associate()?;
        let command = delete(&self.client, sa, &mut SystemRandom).map_err(|failed| failed.error)?;
        if self.execute(&command)?.0 { Ok(()) } else { Err("the Delete was refused".into()) }
    }
}

fn seconds() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// How often `work` is done in a second, over one round.
fn rate(mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let (begun, mut count) = (Monotonic::now(), 0_u32);
    while begun.elapsed() < ROUND {
        work()?;
        count += 1;
    }
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}

fn through_tgtd(bench: &Bench, config: &Arc<ClientConfig>) -> Result<f64> {
    let mut session = rules::session(bench)?;
    rate(|| {
        let sa = associate(&mut session, config)?;
        if remove(&mut session, config, sa)?.status == 0 { Ok(()) } else { Err("the Delete was refused".into()) }
    })
}

/// Sessions at once, each in a thread of its own.
fn together(bench: &Bench, config: &Arc<ClientConfig>, sessions: usize) -> Result<f64> {
    let one = || through_tgtd(bench, config).map_err(|why| why.to_string());
    let rates = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..sessions).map(|_| scope.spawn(one)).collect();
        let rates = threads.into_iter().map(|thread| thread.join().map_err(|_| "a panic".to_string()).flatten());
        rates.collect::<std::result::Result<Vec<f64>, String>>()
    })?;
    Ok(rates.iter().sum())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Bare commands per second, for comparison.
fn commands(bench: &Bench) -> Result<f64> {
    let mut session = rules::session(bench)?;
    let list = crate::iscsi::security_protocol(0xA2, 0, 0, 64);
    rate(|| session.command(&crate::iscsi::Task::of(&list).room(64)).map(drop))
}

pub(crate) fn measure(bench: &Bench) -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let dialect = if bench.is_spc4 { "SPC-4" } else { "r3" };
    println!(
        "{dialect}, {cores} cores; associations made and deleted per second, medians of {ROUNDS} rounds that take turns"
    );
    println!("| suite | in process | through tgtd | {cores} sessions |");
    println!("| --- | --- | --- | --- |");
    for (name, words) in SUITES {
        let config = config(&bench.provisioning, &preferences(words)?)?;
        let mut pair = Pair::new(bench, Arc::clone(&config))?;
        let (mut alone, mut single, mut several) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            alone.push(rate(|| pair.once())?);
            single.push(through_tgtd(bench, &config)?);
            several.push(together(bench, &config, cores)?);
        }
        println!("| {name} | {:.0} | {:.0} | {:.0} |", median(alone), median(single), median(several));
    }
    println!("bare commands: SECURITY PROTOCOL IN 00h, {:.0} a second with one session", commands(bench)?);
    Ok(())
}
