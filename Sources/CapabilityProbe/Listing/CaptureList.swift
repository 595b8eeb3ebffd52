/// The video devices of the machine, from udev's database. Which of them are capture cards, and what those can be asked
/// for, their drivers say; see ``CaptureCandidate/ask()``.
package struct CaptureList: Sendable {
    /// In the order of their paths.
    package let candidates: [CaptureCandidate]
    private let sounds: SoundList

    /// Asks no driver.
    package static func read() -> CaptureList {
        guard let udev = Udev() else { return CaptureList(candidates: [], sounds: SoundList()) }
        let candidates = udev.devices(of: "video4linux").compactMap { CaptureCandidate($0) }.sorted {
            ($0.device.path, $0.index) < ($1.device.path, $1.index)
        }
        return CaptureList(candidates: candidates, sounds: SoundList(udev))
    }

    init(candidates: [CaptureCandidate], sounds: SoundList = SoundList()) {
        self.candidates = candidates
        self.sounds = sounds
    }

    /// The capture cards among them.
    ///
    /// - Parameter answers: What drivers have said, by their candidates' `id`; who has none does not answer.
    package func devices(_ answers: [CaptureCandidate.ID: CaptureCandidate.Answer]) -> [CaptureDevice] {
        let found = candidates.compactMap { candidate in
            candidate.device(answers[candidate.id]).map { (candidate: candidate, device: $0) }
        }
        return found.indices.map { position in
            let (candidate, device) = found[position]
            // A card with several inputs has a node for each, and perhaps a sound card.
            let siblings = found.indices.filter {
                found[$0].candidate.bus != nil && found[$0].candidate.bus == candidate.bus
            }
            var listed = device
            listed.sound = candidate.bus.flatMap {
                sounds.partner(of: $0, input: siblings.firstIndex(of: position) ?? 0, of: siblings.count)
            }
            // All of them are at the same port; udev tells them apart as its links in /dev/v4l/by-path do.
            if found[..<position].contains(where: { $0.device.path == device.path }) {
                listed.path += "-video-index\(candidate.index)"
            }
            return listed
        }
    }
}
