/// The state of a GPU.
package struct GPUSnapshot: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable, CaseIterable {
        case ready
        /// It failed, and is not used until its next trial.
        case quarantined
        /// It was removed while the service ran.
        case gone
    }

    /// The PCI slot or platform name.
    package var slot: String
    /// The kernel's driver.
    package var driver: String
    /// Vendor and device, if they are known.
    package var name: String
    /// The device node in use: the render node, whose number can change.
    package var node: String
    package var state: State
    /// Why the GPU cannot be used; `nil` if it can.
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
    /// The name that the card reports.
    package var name: String
    package var serial: String?
    /// The path of its port.
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
    /// Whether it passed its trial for a group.
    package var isUsable: Bool
    /// Why it is not usable; `nil` if it is usable, or had no trial yet.
    package var trouble: String?

    package init(name: String, gpu: String? = nil, isUsable: Bool, trouble: String? = nil) {
        self.name = name
        self.gpu = gpu
        self.isUsable = isUsable
        self.trouble = trouble
    }
}
