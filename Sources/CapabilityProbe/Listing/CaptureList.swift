/// The video devices of the machine, from udev's database. Their drivers say which of them are capture cards, and which
/// modes those have: see ``CaptureCandidate/ask()``.
package struct CaptureList: Sendable {
    /// In the order of their paths.
    package let candidates: [CaptureCandidate]
    private let soundCards: SoundCardList

    /// Reads udev's database. It asks no driver.
    package static func read() -> CaptureList {
        guard let udev = Udev() else { return CaptureList(candidates: [], soundCards: SoundCardList()) }
        let candidates = udev.devices(of: "video4linux").compactMap { CaptureCandidate($0) }.sorted {
            ($0.device.path, $0.index) < ($1.device.path, $1.index)
        }
        return CaptureList(candidates: candidates, soundCards: SoundCardList(udev))
    }

    init(candidates: [CaptureCandidate], soundCards: SoundCardList = SoundCardList()) {
        self.candidates = candidates
        self.soundCards = soundCards
    }

    /// The capture cards among the candidates.
    ///
    /// - Parameter answers: The answers of the drivers, by candidate. A driver without an entry does not answer.
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
                soundCards.partner(of: $0, input: siblings.firstIndex(of: position) ?? 0, of: siblings.count)
            }
            // They are all at the same port. udev distinguishes them by the same suffix in /dev/v4l/by-path.
            if found[..<position].contains(where: { $0.device.path == device.path }) {
                listed.path += "-video-index\(candidate.index)"
            }
            return listed
        }
    }
}
