/// The video devices of the machine, from udev's database. Each may be a capture card. Its driver says whether it is
/// one, and which modes it has: see ``CaptureCandidate/ask()``.
package struct CaptureCandidateList: Sendable {
    /// The video devices, sorted by path.
    package let candidates: [CaptureCandidate]
    private let soundCards: SoundCardList

    /// Reads udev's database, and asks no driver.
    package static func read() -> CaptureCandidateList {
        guard let udev = Udev() else { return CaptureCandidateList(candidates: [], soundCards: SoundCardList()) }
        let candidates = udev.devices(of: "video4linux").compactMap { CaptureCandidate($0) }.sorted {
            ($0.device.path, $0.index) < ($1.device.path, $1.index)
        }
        return CaptureCandidateList(candidates: candidates, soundCards: SoundCardList(udev))
    }

    init(candidates: [CaptureCandidate], soundCards: SoundCardList = SoundCardList()) {
        self.candidates = candidates
        self.soundCards = soundCards
    }

    /// Returns the capture cards among the candidates.
    ///
    /// - Parameter answers: The answers of the drivers, by candidate. A candidate without an entry is one whose driver
    ///   has not answered yet.
    package func devices(_ answers: [CaptureCandidate.ID: CaptureCandidate.Answer]) -> [CaptureDevice] {
        let found = candidates.compactMap { candidate in
            candidate.device(answers[candidate.id]).map { (candidate: candidate, device: $0) }
        }
        return found.indices.map { position in
            let (candidate, device) = found[position]
            // A card with several inputs has a node for each, and may have a sound card for each.
            let siblings = found.indices.filter {
                found[$0].candidate.bus != nil && found[$0].candidate.bus == candidate.bus
            }
            var listed = device
            listed.sound = candidate.bus.flatMap {
                soundCards.soundCard(
                    atBus: $0, input: siblings.firstIndex(of: position) ?? 0, inputCount: siblings.count)
            }
            // The nodes of one card are at the same port, so they have the same path. Each further node gets the suffix
            // that udev gives it in /dev/v4l/by-path.
            if found[..<position].contains(where: { $0.device.path == device.path }) {
                listed.path += "-video-index\(candidate.index)"
            }
            return listed
        }
    }
}
