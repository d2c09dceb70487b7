//! The iSCSI connections of a file of packets.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read;
use std::net::SocketAddr;

use super::connection::{Connection, Place, Use, is_login};
use super::iscsi::{Digests, Side};
use super::packet::{Passed, Segment, segment};
use super::pcap::{End, Packet, Packets};
use super::step::Step;

/// The port that IANA assigned to iSCSI.
const ISCSI: u16 = 3260;
/// Most connections at once.
const CONNECTIONS: usize = 65_536;

/// What the user tells of the packets.
#[derive(Default)]
pub(crate) struct Told {
    /// Ports of targets besides 3260.
    pub(crate) ports: HashSet<u16>,
    /// Digests of connections whose login is not in the file.
    pub(crate) digests: Digests,
}

/// The connections so far.
pub(crate) struct Network<'a> {
    told: &'a Told,
    /// By both ends, the lesser first.
    connections: HashMap<(SocketAddr, SocketAddr), Connection>,
    first: Option<u64>,
    place: Place,
    passed: BTreeMap<Passed, u64>,
    lost: u64,
    seen: u64,
}

impl<'a> Network<'a> {
    pub(crate) fn new(told: &'a Told) -> Self {
        Self {
            told,
            connections: HashMap::new(),
            first: None,
            place: Place::default(),
            passed: BTreeMap::new(),
            lost: 0,
            seen: 0,
        }
    }

    /// Reads a file to its end, handing on each command when it has ended. The result tells what was wrong with the file.
    pub(crate) fn read<E>(
        mut self,
        input: impl Read,
        show: &mut dyn FnMut(Step) -> Result<(), E>,
    ) -> Result<Vec<String>, E> {
        let mut remarks = Vec::new();
        let mut end = None;
        match Packets::open(input) {
            Err(stop) => end = Some(stop),
            Ok(mut packets) => {
                while end.is_none() {
                    match packets.next() {
                        Ok(packet) => self.packet(&packet).into_iter().try_for_each(&mut *show)?,
                        Err(stop) => end = Some(stop),
                    }
                }
            }
        }
        self.finish().into_iter().try_for_each(show)?;
        let last = self.place.packet;
        match end {
            None | Some(End::Over) => {}
            Some(End::Cut) => remarks.push(format!("the file ends inside of a record, after packet {last}")),
            Some(End::Wrong(why)) => remarks.push(format!("the file is wrong {why}")),
        }
        for (passed, count) in &self.passed {
            remarks.push(match passed {
                Passed::NotTcp => continue,
                Passed::Cut => format!("{count} packets end within their headers"),
                Passed::Fragment => format!("{count} packets are fragments of IP packets, which are not put together"),
                Passed::Link(link) => format!("{count} packets have link type {link}, which is not known"),
            });
        }
        if self.lost > 0 {
            remarks.push(format!("{} bytes of TCP streams are missing", self.lost));
        }
        if self.seen == 0 {
            remarks.push("no iSCSI connection: --port tells where, if it began before the file did".into());
        }
        Ok(remarks)
    }

    fn packet(&mut self, packet: &Packet) -> Vec<Step> {
        let first = *self.first.get_or_insert(packet.time);
        self.place = Place { packet: packet.number, time: packet.time.saturating_sub(first) };
        match segment(packet.link, &packet.data) {
            Ok(segment) => self.segment(&segment),
            Err(passed) => {
                let count = self.passed.entry(passed).or_default();
                *count = count.saturating_add(1);
                Vec::new()
            }
        }
    }

    fn segment(&mut self, segment: &Segment<'_>) -> Vec<Step> {
        let mut done = Vec::new();
        let ends = (segment.from.min(segment.to), segment.from.max(segment.to));
        let is_opening = segment.is_first && segment.acknowledged.is_none();
        // The same two ends again, for another connection.
        let is_renewed = is_opening
            && self.connections.get_mut(&ends).is_some_and(|connection| {
                let side = connection.side(segment.from);
                side == Side::Target || connection.stream(side).is_another(segment.sequence)
            });
        if is_renewed {
            self.close(ends, &mut done);
        }
        if !self.connections.contains_key(&ends) {
            let Some((usage, initiator, target)) = self.wanted(segment, is_opening) else { return done };
            if self.connections.len() >= CONNECTIONS {
                done.extend(self.finish());
            }
            self.connections.insert(ends, Connection::new(usage, initiator, target, self.told.digests));
        }
        let (place, Some(connection)) = (self.place, self.connections.get_mut(&ends)) else { return done };
        let side = connection.side(segment.from);
        if segment.is_first {
            connection.stream(side).begin(segment.sequence);
        }
        // Data in a SYN come after its own number.
        let sequence = segment.sequence.wrapping_add(u32::from(segment.is_first));
        let pieces = connection.stream(side).take(sequence, segment.data);
        connection.pieces(side, pieces, place, &mut done);
        if let Some(acknowledged) = segment.acknowledged {
            let other = if side == Side::Initiator { Side::Target } else { Side::Initiator };
            let pieces = connection.stream(other).acknowledged(acknowledged);
            connection.pieces(other, pieces, place, &mut done);
        }
        if segment.is_reset {
            self.close(ends, &mut done);
        }
        done
    }

    /// The initiator and the target of a connection that may be iSCSI's. A connection that is opened in the file shows it
    /// by its first bytes, so that any port will do; of others the port tells.
    fn wanted(&self, segment: &Segment<'_>, is_opening: bool) -> Option<(Use, SocketAddr, SocketAddr)> {
        let is_target = |end: SocketAddr| end.port() == ISCSI || self.told.ports.contains(&end.port());
        let &Segment { from, to, data, .. } = segment;
        if is_target(to) || is_login(data) {
            return Some((Use::Iscsi, from, to));
        }
        if is_target(from) {
            return Some((Use::Iscsi, to, from));
        }
        is_opening.then_some((Use::Undecided, from, to))
    }

    fn close(&mut self, ends: (SocketAddr, SocketAddr), done: &mut Vec<Step>) {
        if let Some(mut connection) = self.connections.remove(&ends) {
            connection.finish(self.place, done);
            self.count(&connection);
        }
    }

    fn count(&mut self, connection: &Connection) {
        if connection.usage == Use::Iscsi {
            self.lost = self.lost.saturating_add(connection.lost);
            self.seen = self.seen.saturating_add(1);
        }
    }

    /// Ends all connections, in the order of their ends.
    fn finish(&mut self) -> Vec<Step> {
        let mut done = Vec::new();
        let mut left: Vec<_> = self.connections.keys().copied().collect();
        left.sort();
        for ends in left {
            self.close(ends, &mut done);
        }
        done
    }
}
