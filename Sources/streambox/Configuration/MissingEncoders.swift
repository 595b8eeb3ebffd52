import BoxConfiguration
import EncoderSelection

/// Notices about encoders that a configuration names and that this box does not have.
enum MissingEncoders {
    /// One line for each group and encoder: the place, the missing encoder, how to get it, and what happens until then.
    static func notices(of loaded: LoadedConfiguration, _ catalogue: EncoderCatalogue) -> [String] {
        loaded.configuration.channels.flatMap(\.groups).flatMap { group -> [String] in
            guard case .encode(let encoding) = group.video, case .list(let requests) = encoding.encoder else {
                return []
            }
            let selector = EncoderSelector(catalogue: catalogue, order: loaded.configuration.encoders.order)
            let choice = selector.candidates(for: encoding).first { !selector.standing(of: $0).hasFailed }
            let instead =
                choice.map { "\($0) takes over" }
                ?? "no other encoder is allowed, so the group stays off air until it is there"
            return requests.compactMap { request in
                guard let why = why(request, catalogue) else { return nil }
                return
                    """
                    \(loaded.name):\(group.location): group '\(group.name)' asks for \(request), which is not \
                    here: \(why); \(instead)
                    """
            }
        }
    }

    private static func why(_ request: EncoderRequest, _ catalogue: EncoderCatalogue) -> String? {
        let candidates = catalogue.candidates(named: request.name, on: request.gpu)
        guard !candidates.isEmpty else {
            return EncoderName.known(request.name).map { "it needs \($0.needs)" }
        }
        let reasons = candidates.map { candidate -> String? in
            if case .failed(let why) = catalogue.initialStanding(of: candidate) { why.sentence } else { nil }
        }
        return reasons.contains(nil) ? nil : reasons.first ?? nil
    }
}
