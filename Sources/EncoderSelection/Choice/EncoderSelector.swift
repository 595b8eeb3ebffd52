public import Configuration

/// Chooses the encoder of a group. Pure: what is known of the box comes in.
public struct EncoderSelector: Sendable {
    public var catalogue: EncoderCatalogue
    /// The families that `auto` tries.
    public var order: [EncoderFamily]
    /// What trials and use have shown; the rest is as ``EncoderCatalogue/initialStanding(of:)`` has it.
    public var standings: [EncoderCandidate: Standing]
    /// Pixels a second that each GPU encodes already, by slot.
    public var load: [String: Double]

    public init(
        catalogue: EncoderCatalogue, order: [EncoderFamily] = EncoderPreferences.defaultOrder,
        standings: [EncoderCandidate: Standing] = [:], load: [String: Double] = [:]
    ) {
        self.catalogue = catalogue
        self.order = order
        self.standings = standings
        self.load = load
    }

    /// The choice for a group, with its reason.
    public struct Choice: Sendable, Hashable {
        /// `nil` when nothing that the group allows works here.
        public var candidate: EncoderCandidate?
        /// It is software, though hardware was to be tried first and is not usable.
        public var isDegraded: Bool
        /// One sentence for `plan` and `status`.
        public var reason: String
        /// The candidates that were to be tried before it, and why each was not taken.
        public var passedOver: [EncoderCandidate: Standing]

        public init(candidate: EncoderCandidate?, isDegraded: Bool, reason: String, passedOver: [EncoderCandidate: Standing] = [:]) {
            self.candidate = candidate
            self.isDegraded = isDegraded
            self.reason = reason
            self.passedOver = passedOver
        }
    }

    public func standing(of candidate: EncoderCandidate) -> Standing {
        standings[candidate] ?? catalogue.initialStanding(of: candidate)
    }

    /// What the group allows, best first: its own list, or the families of `order`.
    public func candidates(for wish: VideoEncoding) -> [EncoderCandidate] {
        let ranked: [[EncoderCandidate]] = switch wish.encoder {
        case .auto: order.map { catalogue.candidates($0, wish.codec) }
        case .list(let requests): requests.map { catalogue.candidates(named: $0.name, on: $0.gpu) }
        }
        // Among equals the GPU with the least to do comes first; the sort keeps the order of those with the same load.
        return ranked.flatMap { $0.sorted { load[$0.gpu ?? "", default: 0] < load[$1.gpu ?? "", default: 0] } }
    }

    public func choose(for wish: VideoEncoding) -> Choice {
        let candidates = candidates(for: wish)
        var passedOver: [EncoderCandidate: Standing] = [:]
        for candidate in candidates {
            let standing = standing(of: candidate)
            if standing.isUsable {
                let isDegraded = candidate.isSoftware && passedOver.contains { !$0.key.isSoftware && $0.value.hasFailed }
                return Choice(
                    candidate: candidate, isDegraded: isDegraded, reason: reason(for: candidate, wish, passedOver, candidates),
                    passedOver: passedOver)
            }
            passedOver[candidate] = standing
        }
        return Choice(candidate: nil, isDegraded: true, reason: refusal(wish, passedOver), passedOver: passedOver)
    }

    /// Names of the candidates that a group could be handed to now.
    public func usable(for wish: VideoEncoding) -> [EncoderCandidate] {
        EncoderFamily.allCases.flatMap { catalogue.candidates($0, wish.codec) }.filter { standing(of: $0).isUsable }
    }

    private func reason(
        for candidate: EncoderCandidate, _ wish: VideoEncoding, _ passedOver: [EncoderCandidate: Standing], _ candidates: [EncoderCandidate]
    ) -> String {
        let before = candidates.prefix { $0 != candidate }.compactMap { other in passedOver[other].map { "\(other): \(words($0))" } }
        let start: String
        switch wish.encoder {
        case .auto where candidate.isSoftware && before.isEmpty: start = "\(candidate): the software encoder; no hardware encoder was found"
        case .auto: start = "\(candidate): the best that works here"
        case .list(let requests):
            let missing = requests.prefix { $0.name != candidate.name }.filter { request in !candidates.contains { $0.name == request.name } }
            start = requests.first?.name == candidate.name ? "\(candidate): asked for" : "\(candidate): the first asked for that works here"
            if !missing.isEmpty { return start + " (" + missing.map { "\($0): no such device here" }.joined(separator: "; ") + ")" }
        }
        return before.isEmpty ? start : start + " (" + before.joined(separator: "; ") + ")"
    }

    private func refusal(_ wish: VideoEncoding, _ passedOver: [EncoderCandidate: Standing]) -> String {
        let tried = passedOver.map { "\($0.key): \(words($0.value))" }.sorted()
        let what: String
        switch wish.encoder {
        case .auto: what = "no \(wish.codec.rawValue) encoder of `encoders.order` works here"
        case .list: what = "none of \(wish.encoder) works here"
        }
        return tried.isEmpty ? what + ": there is no such device" : what + " (" + tried.joined(separator: "; ") + ")"
    }

    private func words(_ standing: Standing) -> String {
        switch standing {
        case .usable: "usable"
        case .untried: "not tried yet"
        case .failed(let why), .quarantined(let why): why
        }
    }
}
