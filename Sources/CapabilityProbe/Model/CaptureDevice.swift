/// A capture card or camera, whichever number its nodes have today.
package struct CaptureDevice: Sendable, Hashable, Codable {
    /// Where it is plugged in: `pci-0000:00:14.0-usb-0:2:1.0`.
    package var path: String
    /// `nil` when it has none; many have not.
    package var serial: String?
    /// Vendor and product, `1d6b:0102`; `nil` for devices on no USB bus.
    package var model: String?
    package var name: String
    package var driver: String?
    /// The node that gives pictures: a card has several.
    package var node: String
    /// The ALSA card on the same USB or PCI device, `hw:1`.
    package var sound: String?
    /// `/dev/bus/usb/001/004`, where it is on a USB bus.
    package var usbNode: String?
    /// What it can be asked for; `nil` where it could not be asked.
    package var modes: [CaptureMode]?
    /// Why this process cannot open it; `nil` when it can.
    package var accessProblem: String?
    /// Its driver has not answered since it was plugged in; what it could be asked for is not known.
    package var isHung: Bool

    package init(
        path: String, serial: String? = nil, model: String? = nil, name: String, driver: String? = nil, node: String,
        sound: String? = nil,
        usbNode: String? = nil, modes: [CaptureMode]? = nil, accessProblem: String? = nil, isHung: Bool = false
    ) {
        self.path = path
        self.serial = serial
        self.model = model
        self.name = name
        self.driver = driver
        self.node = node
        self.sound = sound
        self.usbNode = usbNode
        self.modes = modes
        self.accessProblem = accessProblem
        self.isHung = isHung
    }

    /// The mode with the most pixels of each format, in the device's order.
    package var largestModes: [CaptureMode] {
        var largest: [CaptureMode] = []
        for mode in modes ?? [] {
            if let index = largest.firstIndex(where: { $0.format == mode.format }) {
                if mode.width * mode.height > largest[index].width * largest[index].height { largest[index] = mode }
            } else {
                largest.append(mode)
            }
        }
        return largest
    }
}
