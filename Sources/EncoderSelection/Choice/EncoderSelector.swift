package import BoxConfiguration
import MediaTypes

/// Chooses the encoder of a group. Pure: the state of the box is an input.
package struct EncoderSelector: Sendable {
    package var catalogue: EncoderCatalogue
    /// The families that `auto` tries.
    package var order: [EncoderFamily]
    /// The standing of each candidate that was tried or used. The others have their
    /// ``EncoderCatalogue/initialStanding(of:)``.
    package var standings: [EncoderCandidate: Standing]
    /// Pixels per second that each GPU encodes already, by slot.
    package var load: [String: Double]
    /// The candidate that the group uses. Of two GPUs with the same load, the one in use is preferred.
    package var current: EncoderCandidate?

    package init(
        catalogue: EncoderCatalogue, order: [EncoderFamily] = EncoderPreferences.defaultOrder,
        standings: [EncoderCandidate: Standing] = [:], load: [String: Double] = [:], current: EncoderCandidate? = nil
    ) {
        self.catalogue = catalogue
        self.order = order
        self.standings = standings
        self.load = load
        self.current = current
    }

    /// The choice for a group, with its reason.
    package struct Choice: Sendable, Hashable {
        /// The encoder. `nil` if no encoder that the group allows works on this box.
        package var candidate: EncoderCandidate?
        /// Whether the choice is software because the preferred hardware does not work.
        package var isDegraded: Bool
        /// One sentence for `plan` and `status`.
        package var reason: String
        /// The preferred candidates that were not chosen, and why.
        package var passedOver: [EncoderCandidate: Standing]

        package init(
            candidate: EncoderCandidate?, isDegraded: Bool, reason: String,
            passedOver: [EncoderCandidate: Standing] = [:]
        ) {
            self.candidate = candidate
            self.isDegraded = isDegraded
            self.reason = reason
            self.passedOver = passedOver
        }

        /// Whether FFmpeg refuses an option of a preferred candidate.
        package var hasRefusal: Bool { passedOver.values.contains { $0.reason?.kind == .refusedOption } }
    }

    package func standing(of candidate: EncoderCandidate) -> Standing {
        standings[candidate] ?? catalogue.initialStanding(of: candidate)
    }

    /// Returns the candidates that the group allows, best first: those of its own list, or those of the families of
    /// `order`.
    ///
    /// Unless `order` leaves software out, it is the last resort, even for a group with a list. The last resort for AV1
    /// encodes H.264.
    package func candidates(for encoding: VideoEncoding) -> [EncoderCandidate] {
        var ranked: [[EncoderCandidate]]
        switch encoding.encoder {
        case .auto: ranked = order.map { catalogue.candidates($0, encoding.codec) }
        case .list(let requests): ranked = requests.map { catalogue.candidates(named: $0.name, on: $0.gpu) }
        }
        let last = EncoderCandidate.software(encoding.codec)
        if order.contains(.software), !ranked.joined().contains(last) { ranked.append([last]) }
        // Among candidates of the same rank the GPU with the lowest load comes first.
        return ranked.flatMap { $0.sorted { weight($0) < weight($1) } }
    }

    private func weight(_ candidate: EncoderCandidate) -> (Double, Int) {
        (load[candidate.gpu ?? "", default: 0], candidate == current ? 0 : 1)
    }

    package func choose(for encoding: VideoEncoding) -> Choice {
        let candidates = candidates(for: encoding)
        var passedOver: [EncoderCandidate: Standing] = [:]
        for candidate in candidates {
            let standing = standing(of: candidate)
            if standing.isUsable {
                return Choice(
                    candidate: candidate, isDegraded: isDegraded(candidate, encoding, passedOver),
                    reason: reason(for: candidate, encoding, passedOver, candidates),
                    passedOver: passedOver)
            }
            passedOver[candidate] = standing
        }
        return Choice(candidate: nil, isDegraded: true, reason: refusal(encoding, passedOver), passedOver: passedOver)
    }

    /// Whether the candidate is software because the preferred hardware does not work or does not exist.
    private func isDegraded(
        _ candidate: EncoderCandidate, _ encoding: VideoEncoding, _ passedOver: [EncoderCandidate: Standing]
    ) -> Bool {
        guard candidate.isSoftware else { return false }
        if passedOver.contains(where: { !$0.key.isSoftware && $0.value.hasFailed }) { return true }
        guard case .list(let requests) = encoding.encoder else { return false }
        // Also if an earlier encoder on the list has no device on this box.
        return requests.prefix { $0.name != candidate.name }.contains {
            catalogue.candidates(named: $0.name, on: $0.gpu).isEmpty
        }
    }

    private func reason(
        for candidate: EncoderCandidate, _ encoding: VideoEncoding, _ passedOver: [EncoderCandidate: Standing],
        _ candidates: [EncoderCandidate]
    ) -> String {
        let before = candidates.prefix { $0 != candidate }.compactMap { other in
            passedOver[other].map { "\(other): \(words($0))" }
        }
        let start: String
        switch encoding.encoder {
        case .auto where candidate.isSoftware && before.isEmpty:
            start = "\(candidate): the software encoder; no hardware encoder was found"
        case .auto: start = "\(candidate): the best that works here"
        case .list(let requests):
            let missing = requests.prefix { $0.name != candidate.name }.filter { request in
                !candidates.contains { $0.name == request.name }
            }
            if !requests.contains(where: { $0.name == candidate.name }) {
                start = "\(candidate): the last resort, because none of the encoders asked for works here"
            } else {
                start =
                    requests.first?.name == candidate.name
                    ? "\(candidate): asked for" : "\(candidate): the first asked for that works here"
            }
            let words =
                missing.map {
                    "\($0): no such device here; it needs \(EncoderName.known($0.name)?.needs ?? "another box")"
                } + before
            return words.isEmpty ? start : start + " (" + words.joined(separator: "; ") + ")"
        }
        return before.isEmpty ? start : start + " (" + before.joined(separator: "; ") + ")"
    }

    private func refusal(_ encoding: VideoEncoding, _ passedOver: [EncoderCandidate: Standing]) -> String {
        let tried = passedOver.map { "\($0.key): \(words($0.value))" }.sorted()
        let what: String
        switch encoding.encoder {
        case .auto: what = "no \(encoding.codec.rawValue) encoder of `encoders.order` works here"
        case .list(let requests):
            what = "none of \(encoding.encoder) works here"
            let missing = requests.filter { catalogue.candidates(named: $0.name, on: $0.gpu).isEmpty }
            if tried.isEmpty, let needs = missing.first.flatMap({ EncoderName.known($0.name) })?.needs {
                return what + ": it needs \(needs)"
            }
        }
        return tried.isEmpty ? what + ": there is no such device" : what + " (" + tried.joined(separator: "; ") + ")"
    }

    private func words(_ standing: Standing) -> String {
        switch standing {
        case .usable: "usable"
        case .untried: "not tried yet"
        case .failed(let why), .quarantined(let why): why.sentence
        }
    }
}
