/// A graphics processor, whichever number its nodes have today.
package struct GPU: Sendable, Hashable, Codable {
    /// The PCI slot, `0000:03:00.0`, or the platform device's name; it stays the same when nodes are renumbered.
    package var slot: String
    /// The kernel's driver: `i915`, `xe`, `amdgpu`, `nvidia`; empty when none is bound.
    package var driver: String
    /// PCI ids; `nil` for platform devices.
    package var vendorID: UInt16?
    package var deviceID: UInt16?
    /// Names from `pci.ids`, where that file is installed.
    package var vendorName: String?
    package var deviceName: String?
    /// `/dev/dri/renderD128`
    package var renderNode: String?
    /// `/dev/dri/card0`
    package var cardNode: String?
    /// The firmware showed its screen on it.
    package var isBootVGA: Bool
    /// Why this process may not open the render node; `nil` when it may.
    package var accessProblem: String?

    /// No bus shows it: a driver's library is there, and so it may be.
    package var isSupposed: Bool { slot == driver }

    package init(
        slot: String, driver: String, vendorID: UInt16? = nil, deviceID: UInt16? = nil, vendorName: String? = nil,
        deviceName: String? = nil, renderNode: String? = nil, cardNode: String? = nil, isBootVGA: Bool = false,
        accessProblem: String? = nil
    ) {
        self.slot = slot
        self.driver = driver
        self.vendorID = vendorID
        self.deviceID = deviceID
        self.vendorName = vendorName
        self.deviceName = deviceName
        self.renderNode = renderNode
        self.cardNode = cardNode
        self.isBootVGA = isBootVGA
        self.accessProblem = accessProblem
    }
}
