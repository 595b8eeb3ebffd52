package import BoxConfiguration
package import CapabilityProbe

/// Which source has which card.
///
/// A card is bound by what it is, never by its node's number. Each belongs to one source; who has one keeps it for as
/// long as it is there. Pure.
package struct CaptureClaims: Sendable {
    /// In the order in which they came.
    private var sources: [(id: String, binding: CaptureBinding)] = []
    /// The paths of the cards that sources have.
    private var held: [String: String] = [:]
    /// What is plugged in: what gives pictures that can be used first, what does not answer last, and in the order of
    /// the paths.
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

    /// The card of a source; `nil` while there is none for it.
    package func device(of id: String) -> CaptureDevice? {
        held[id].flatMap { path in devices.first { $0.path == path } }
    }

    /// Sources that name a port come before those that name a card, those before who names a model, and those before
    /// who takes any; among each, who has one comes before who has none. One that does not answer is nobody's whom
    /// another would do for.
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
    /// FFmpeg can read a format of it, as far as is known. Cards have nodes for depth and infrared too.
    var isReadable: Bool { modes.map { $0.isEmpty || $0.contains { CaptureSetting.reads($0.format) } } ?? true }

    fileprivate var drawback: Int { isHung ? 2 : isReadable ? 0 : 1 }

    /// Another card, that nothing but its port tells from this one.
    package func looksLike(_ other: CaptureDevice) -> Bool {
        path != other.path && name == other.name && serial == other.serial
            && (usbNode == nil || usbNode != other.usbNode)
    }

    /// What is plugged in, for people.
    package static func list(_ devices: [CaptureDevice]) -> String {
        if devices.isEmpty { return "none is plugged in" }
        return "plugged in: "
            + devices.map { "\($0.name) at \($0.path)" + ($0.serial.map { " (serial \($0))" } ?? "") }.joined(
                separator: ", ")
    }

    /// It is what a configuration means.
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
    /// The less, the more exactly it says which card is meant.
    fileprivate var rank: Int {
        switch self {
        case .path: 0
        case .serial: 1
        case .model: 2
        case .any: 3
        }
    }

    /// For people.
    package var sentence: String {
        switch self {
        case .serial(let serial): "with the serial \(serial)"
        case .path(let path): "at \(path)"
        case .model(let model): "of the model \(model)"
        case .any: "free"
        }
    }
}
