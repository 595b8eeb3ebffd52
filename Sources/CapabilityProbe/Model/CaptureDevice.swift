/// A capture card or camera, independent of its present node number.
package struct CaptureDevice: Sendable, Hashable, Codable {
    /// The port that it is plugged into: `pci-0000:00:14.0-usb-0:2:1.0`.
    package var path: String
    /// The serial number. `nil` if the device has none, as many have not.
    package var serial: String?
    /// Vendor and product, `1d6b:0102`. `nil` for devices that are not on a USB bus.
    package var model: String?
    package var name: String
    package var driver: String?
    /// The node that captures video. A card has several nodes.
    package var node: String
    /// ALSA's name of the sound card on the same USB or PCI device: `hw:1`. `nil` if there is none.
    package var sound: String?
    /// `/dev/bus/usb/001/004`, if it is on a USB bus.
    package var usbNode: String?
    /// The modes of the device. `nil` if its driver could not be asked.
    package var modes: [CaptureMode]?
    /// Why this process cannot open it. `nil` if it can.
    package var accessProblem: String?
    /// Whether its driver has not answered since it was plugged in, so that its modes are unknown.
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

    /// For each pixel format the mode with the most pixels, in the order of the driver.
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
