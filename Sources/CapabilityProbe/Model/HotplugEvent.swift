/// A device was plugged in, removed or changed.
package struct HotplugEvent: Sendable, Hashable {
    package enum Action: String, Sendable, Hashable {
        case add, remove, change
        /// Events were lost, so all devices have to be listed again. It belongs to no device.
        case lost
    }

    package var action: Action
    /// The subsystem of the kernel: `drm`, `pci`, `video4linux` or `sound`.
    package var subsystem: String
    /// The path of the device below `/sys`. It stays the same until the device is removed.
    package var path: String
    package var node: String?
    /// The kernel's report that the GPU failed, with the way to recover it: `rebind`, `bus-reset`, `unknown`. `none` if
    /// it works again.
    package var wedgeRecovery: String?

    package init(action: Action, subsystem: String, path: String, node: String? = nil, wedgeRecovery: String? = nil) {
        self.action = action
        self.subsystem = subsystem
        self.path = path
        self.node = node
        self.wedgeRecovery = wedgeRecovery
    }

    static let lost = HotplugEvent(action: .lost, subsystem: "", path: "")
}
