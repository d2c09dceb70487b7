//! A tgtd of its own for each test: port, control socket and disk.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The target's name.
pub(crate) const NAME: &str = "iqn.2007-04.org.example:disk";
/// The first port; each test adds its number. Control sockets have the same numbers.
const FIRST_PORT: u16 = 23_270;

/// A target with one disk, LUN 1.
pub(crate) struct Tgtd {
    daemon: Child,
    pub(crate) port: u16,
    disk: PathBuf,
}

impl Tgtd {
    /// `None` where there is none to start.
    pub(crate) fn start(number: u16) -> Option<Self> {
        let id = Command::new("id").arg("-u").output().unwrap();
        let is_there = Command::new("tgtd").arg("--version").stdout(Stdio::null()).status().is_ok();
        if !is_there || id.stdout != b"0\n" {
            eprintln!("WARNING: skipped: no tgtd, or not root, which it wants to be");
            return None;
        }
        let port = FIRST_PORT + number;
        let disk = std::env::temp_dir().join(format!("ikev2-scsi-disk-{}-{port}", std::process::id()));
        File::create(&disk).unwrap().set_len(1 << 20).unwrap();
        // The second address is for redirections: tgtd sends nobody to the address that he has himself.
        let portal = format!("portal=127.0.0.1:{port},portal=127.0.0.2:{port}");
        let mut tgtd = Command::new("tgtd");
        tgtd.args(["-f", "-C", &port.to_string(), "--iscsi", &portal]).stdout(Stdio::null()).stderr(Stdio::null());
        let started = Self { daemon: tgtd.spawn().unwrap(), port, disk };
        let began = Instant::now();
        while !started.admin(&["--op", "show", "--mode", "system"]).0 {
            assert!(began.elapsed() < Duration::from_secs(10), "tgtd does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        let disk = started.disk.display().to_string();
        started.must(&["--op", "new", "--mode", "target", "--tid", "1", "-T", NAME]);
        started.must(&["--op", "new", "--mode", "logicalunit", "--tid", "1", "--lun", "1", "-b", &disk]);
        started.must(&["--op", "bind", "--mode", "target", "--tid", "1", "-I", "127.0.0.1"]);
        Some(started)
    }

    fn admin(&self, words: &[&str]) -> (bool, String) {
        let mut tgtadm = Command::new("tgtadm");
        tgtadm.args(["-C", &self.port.to_string(), "--lld", "iscsi"]).args(words);
        let ended = tgtadm.output().unwrap();
        (ended.status.success(), String::from_utf8(ended.stdout).unwrap())
    }

    fn must(&self, words: &[&str]) -> String {
        let (is_done, out) = self.admin(words);
        assert!(is_done, "tgtadm {words:?}");
        out
    }

    pub(crate) fn portal(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn url(&self, lun: u8) -> String {
        format!("iscsi://{}/{NAME}/{lun}", self.portal())
    }

    fn connections(&self) -> Vec<(String, String)> {
        let shown = self.must(&["--op", "show", "--mode", "conn", "--tid", "1"]);
        let mut found = Vec::new();
        let mut session = String::new();
        for line in shown.lines() {
            match line.trim().split_once(": ") {
                Some(("Session", number)) => session = number.to_owned(),
                Some(("Connection", number)) => found.push((session.clone(), number.to_owned())),
                _ => {}
            }
        }
        found
    }

    /// How many sessions there are.
    pub(crate) fn nexuses(&self) -> usize {
        self.connections().len()
    }

    pub(crate) fn break_connections(&self) {
        for (session, connection) in self.connections() {
            self.must(&["--op", "delete", "--mode", "conn", "--tid", "1", "--sid", &session, "--cid", &connection]);
        }
    }

    pub(crate) fn require_chap(&self, user: &str, password: &str) {
        self.must(&["--op", "new", "--mode", "account", "--user", user, "--password", password]);
        self.must(&["--op", "bind", "--mode", "account", "--tid", "1", "--user", user]);
    }

    /// Sends whoever logs in to another portal.
    pub(crate) fn redirect(&self, address: &str, port: u16) {
        for (name, value) in
            [("RedirectAddress", address), ("RedirectPort", &port.to_string()), ("RedirectReason", "Temporary")]
        {
            self.must(&["--op", "update", "--mode", "target", "--tid", "1", "--name", name, "--value", value]);
        }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.daemon.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }
}

impl Drop for Tgtd {
    fn drop(&mut self) {
        // tgtd does not stop for less while it has targets, and has nothing that it would have to write.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
        let _ = std::fs::remove_file(&self.disk);
    }
}
