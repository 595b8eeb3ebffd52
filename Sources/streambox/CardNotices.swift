import CapabilityProbe
import Configuration
import Supervision

/// What a configuration asks of capture cards and the box has not, or has twice.
enum CardNotices {
    /// A line a source.
    static func of(_ loaded: LoadedConfiguration, _ cards: [CaptureDevice]) -> [String] {
        loaded.configuration.channels.flatMap { channel in
            channel.sources.compactMap { source in
                guard case .capture(let capture) = source.kind else { return nil }
                return notice(capture.binding, cards).map { "\(loaded.name):\(source.location): source \(source.id) of \(channel.name): \($0)" }
            }
        }
    }

    private static func notice(_ binding: CaptureBinding, _ cards: [CaptureDevice]) -> String? {
        let found = cards.filter { $0.matches(binding) }
        if found.isEmpty { return "no card \(binding.sentence) is there now; \(CaptureDevice.list(cards))" }
        let alike = found.filter { card in found.contains { $0.looksLike(card) } }
        switch binding {
        // Any of them will do, or only one can be meant.
        case .any, .path: return nil
        case .serial, .model:
            guard !alike.isEmpty else { return nil }
            return "\(alike.count) cards \(binding.sentence) are there, and nothing but their ports tells them apart; bind by path: "
                + alike.map(\.path).joined(separator: ", ")
        }
    }
}
