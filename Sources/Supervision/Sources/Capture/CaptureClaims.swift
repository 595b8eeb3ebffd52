package import BoxConfiguration
package import CapabilityProbe

/// Assigns capture cards to sources. Pure.
///
/// A source names a card by its properties, never by its node's number. Each card belongs to one source, which keeps it
/// for as long as it is plugged in.
package struct CaptureClaims: Sendable {
    /// The sources that claim a card, in the order in which they were added.
    private var sources: [(id: String, binding: CaptureBinding)] = []
    /// The path of each source's card.
    private var held: [String: String] = [:]
    /// The cards that are plugged in: those with a readable format first, those that do not answer last, each in the
    /// order of their paths.
    package private(set) var devices: [CaptureDevice] = []

    package init() {}

    package mutating func add(_ id: String, _ binding: CaptureBinding) {
        sources.removeAll { $0.id == id }
        held[id] = nil
        sources.append((id, binding))
        assign()
    }

    package mutating func remove(_ id: String) {
        sources.removeAll { $0.id == id }
        held[id] = nil
        assign()
    }

    package mutating func set(_ devices: [CaptureDevice]) {
        self.devices = devices.sorted { ($0.drawback, $0.path) < ($1.drawback, $1.path) }
        assign()
    }

    /// Returns the card of a source. `nil` while there is none for it.
    package func device(of id: String) -> CaptureDevice? {
        held[id].flatMap { path in devices.first { $0.path == path } }
    }

    /// Gives cards first to sources that name a port, then a serial number, then a model, and last to those that take
    /// any card. Of sources that name alike, those that have a card come first. A card that does not answer is given
    /// only to a source for which there is no other one.
    private mutating func assign() {
        var next: [String: String] = [:]
        for rank in 0...3 {
            let ranked = sources.filter { $0.binding.rank == rank }
            for source in ranked {
                guard let path = held[source.id], !next.values.contains(path) else { continue }
                guard devices.contains(where: { $0.path == path && $0.matches(source.binding) && !$0.isHung }) else {
                    continue
                }
                next[source.id] = path
            }
            for source in ranked where next[source.id] == nil {
                next[source.id] = devices.first { $0.matches(source.binding) && !next.values.contains($0.path) }?.path
            }
        }
        held = next
    }
}

extension CaptureDevice {
    /// Whether FFmpeg can read one of the card's formats. True if the formats are not known. Cards also have nodes for
    /// depth and infrared.
    var isReadable: Bool { modes.map { $0.isEmpty || $0.contains { CaptureSetting.reads($0.format) } } ?? true }

    fileprivate var drawback: Int { isHung ? 2 : isReadable ? 0 : 1 }

    /// Whether the other is another card that differs from this one only in its port.
    package func looksLike(_ other: CaptureDevice) -> Bool {
        path != other.path && name == other.name && serial == other.serial
            && (usbNode == nil || usbNode != other.usbNode)
    }

    /// Lists the cards that are plugged in, for messages.
    package static func list(_ devices: [CaptureDevice]) -> String {
        if devices.isEmpty { return "none is plugged in" }
        return "plugged in: "
            + devices.map { "\($0.name) at \($0.path)" + ($0.serial.map { " (serial \($0))" } ?? "") }.joined(
                separator: ", ")
    }

    /// Whether the configuration names the card.
    package func matches(_ binding: CaptureBinding) -> Bool {
        switch binding {
        case .serial(let serial): self.serial == serial
        // With or without the interface at its end: `pci-0000:00:14.0-usb-0:2` is the port.
        case .path(let path): self.path == path || self.path.hasPrefix(path + ":")
        case .model(let model): self.model == model || name == model
        case .any: true
        }
    }
}

extension CaptureBinding {
    /// Lower for a binding that names a card more exactly.
    fileprivate var rank: Int {
        switch self {
        case .path: 0
        case .serial: 1
        case .model: 2
        case .any: 3
        }
    }

    /// The words that follow "the card" in messages.
    package var sentence: String {
        switch self {
        case .serial(let serial): "with the serial \(serial)"
        case .path(let path): "at \(path)"
        case .model(let model): "of the model \(model)"
        case .any: "free"
        }
    }
}
