/// Something was plugged in or pulled, or changed.
public struct HotplugEvent: Sendable, Hashable {
    public enum Action: String, Sendable, Hashable {
        case add, remove, change
        /// Events were lost: whatever is there is to be listed again. Of no device.
        case lost
    }

    public var action: Action
    /// `drm`, `pci`, `video4linux` or `sound`
    public var subsystem: String
    /// Below `/sys`; stays the same from add to remove.
    public var path: String
    public var node: String?
    /// The kernel says that the GPU failed, and how it could be had back: `rebind`, `bus-reset`, `unknown`; `none`
    /// where it works again.
    public var wedged: String?

    public init(action: Action, subsystem: String, path: String, node: String? = nil, wedged: String? = nil) {
        self.action = action
        self.subsystem = subsystem
        self.path = path
        self.node = node
        self.wedged = wedged
    }

    static let lost = HotplugEvent(action: .lost, subsystem: "", path: "")
}
