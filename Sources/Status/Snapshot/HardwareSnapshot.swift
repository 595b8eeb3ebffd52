/// A graphics processor, as it stands.
package struct GPUSnapshot: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable, CaseIterable {
        case ready
        /// It failed, and is left alone until it is tried again.
        case quarantined
        /// It was there while the service ran.
        case gone
    }

    /// The PCI slot or platform name.
    package var slot: String
    /// The kernel's driver.
    package var driver: String
    /// Vendor and device, where they are known.
    package var name: String
    /// The node that it is used through: the render node, as long as the kernel does not number it anew.
    package var node: String
    package var state: State
    /// Why it cannot be used; `nil` when it can.
    package var trouble: String?

    package init(slot: String, driver: String, name: String = "", node: String, state: State, trouble: String? = nil) {
        self.slot = slot
        self.driver = driver
        self.name = name
        self.node = node
        self.state = state
        self.trouble = trouble
    }
}

/// A capture card that is plugged in.
package struct CaptureDeviceSnapshot: Sendable, Hashable, Codable {
    /// What it calls itself.
    package var name: String
    package var serial: String?
    /// Where it is plugged in.
    package var path: String

    package init(name: String, serial: String? = nil, path: String) {
        self.name = name
        self.serial = serial
        self.path = path
    }
}

/// An encoder of the box, on a GPU or in software.
package struct EncoderSnapshot: Sendable, Hashable, Codable {
    /// FFmpeg's name.
    package var name: String
    /// The GPU's slot; `nil` for software.
    package var gpu: String?
    /// It passed its trial for a group.
    package var isUsable: Bool
    /// Why it is not usable; `nil` when it is, or has not been tried.
    package var trouble: String?

    package init(name: String, gpu: String? = nil, isUsable: Bool, trouble: String? = nil) {
        self.name = name
        self.gpu = gpu
        self.isUsable = isUsable
        self.trouble = trouble
    }
}
