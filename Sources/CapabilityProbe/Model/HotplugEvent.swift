/// Something was plugged in or pulled, or changed.
package struct HotplugEvent: Sendable, Hashable {
    package enum Action: String, Sendable, Hashable {
        case add, remove, change
        /// Events were lost: whatever is there is to be listed again. Of no device.
        case lost
    }

    package var action: Action
    /// `drm`, `pci`, `video4linux` or `sound`
    package var subsystem: String
    /// Below `/sys`; stays the same from add to remove.
    package var path: String
    package var node: String?
    /// The kernel says that the GPU failed, and how it could be had back: `rebind`, `bus-reset`, `unknown`; `none`
    /// where it works again.
    package var wedged: String?

    package init(action: Action, subsystem: String, path: String, node: String? = nil, wedged: String? = nil) {
        self.action = action
        self.subsystem = subsystem
        self.path = path
        self.node = node
        self.wedged = wedged
    }

    static let lost = HotplugEvent(action: .lost, subsystem: "", path: "")
}
