/// A graphics processor, independent of its present node numbers.
package struct GPU: Sendable, Hashable, Codable {
    /// The PCI slot, `0000:03:00.0`, or the platform device's name. It stays the same when nodes are renumbered.
    package var slot: String
    /// The kernel's driver: `i915`, `xe`, `amdgpu`, `nvidia`. Empty if none is bound.
    package var driver: String
    /// The PCI ids of vendor and device. `nil` for platform devices.
    package var vendorID: UInt16?
    package var deviceID: UInt16?
    /// Names from `pci.ids`, if that file is installed.
    package var vendorName: String?
    package var deviceName: String?
    /// `/dev/dri/renderD128`
    package var renderNode: String?
    /// `/dev/dri/card0`
    package var cardNode: String?
    /// Whether the firmware showed its screen with this GPU when the machine started.
    package var isBootVGA: Bool
    /// Why this process may not open the render node. `nil` if it may.
    package var accessProblem: String?

    /// Whether the GPU is only assumed to exist, because its driver's library is installed. No bus lists it.
    package var isAssumed: Bool { slot == driver }

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
