/// A video device from udev's database. It is a capture card unless its driver says otherwise.
package struct CaptureCandidate: Sendable, Identifiable {
    /// The identity of the device since it was plugged in. It changes if the device is plugged in again.
    package let id: String
    /// The capture card that it would be, with what udev knows of it.
    let device: CaptureDevice
    /// The number of the node among the nodes of the same device.
    let index: Int
    /// The USB or PCI device that it belongs to, as a path below `/sys`.
    let bus: String?
    /// Whether it captures video, according to udev. `nil` if udev does not know.
    let captures: Bool?

    /// The driver's answer.
    package struct Answer: Sendable {
        /// Whether the device captures video. `nil` if this process may not ask, or the device is gone.
        var captures: Bool?
        var driver: String?
        var modes: [CaptureMode]?
    }

    init(id: String, device: CaptureDevice, index: Int = 0, bus: String? = nil, captures: Bool? = true) {
        self.id = id
        self.device = device
        self.index = index
        self.bus = bus
        self.captures = captures
    }

    init?(_ video: UdevDevice) {
        guard let node = video.node else { return nil }
        let usb = video.parent("usb", "usb_device")
        let bus = usb ?? video.parent("pci")
        let model = zip([video.property("ID_VENDOR_ID")], [video.property("ID_MODEL_ID")]).compactMap {
            vendor, product in
            vendor.flatMap { vendor in product.map { "\(vendor):\($0)" } }
        }.first
        let device = CaptureDevice(
            path: video.property("ID_PATH") ?? video.path,
            // udev makes an ID_SERIAL from the names. The short one is the device's own.
            serial: video.property("ID_SERIAL_SHORT") ?? usb?.attribute("serial"), model: model,
            name: video.property("ID_V4L_PRODUCT") ?? video.attribute("name") ?? video.name,
            driver: video.parent("usb", "usb_interface")?.driver ?? (usb == nil ? bus?.driver : nil),
            node: node, usbNode: usb?.node, accessProblem: NodeAccess.problem(node))
        self.init(
            id: "\(video.path) \(video.property("USEC_INITIALIZED") ?? "")", device: device,
            index: video.attribute("index").flatMap { Int($0) } ?? 0,
            bus: bus?.path, captures: video.property("ID_V4L_CAPABILITIES")?.contains(":capture:"))
    }

    /// Opens the device and asks its driver. This does not disturb a program that captures from it. The call blocks as
    /// long as the driver does, which may be forever.
    package func ask() -> Answer {
        guard let node = try? V4L2Node(device.node), let identity = node.identity() else { return Answer() }
        return Answer(
            captures: identity.isCapture, driver: identity.driver, modes: identity.isCapture ? node.modes() : nil)
    }

    /// Returns the capture card. `nil` if the device is not one: metadata nodes and encoders are video devices too.
    ///
    /// - Parameter answer: The driver's answer. `nil` if the driver does not answer.
    func device(_ answer: Answer?) -> CaptureDevice? {
        var card = device
        guard let answer else {
            // udev asks the driver too. If it got no answer either, `captures` is `nil`, and the device may be a card.
            guard captures ?? true else { return nil }
            card.isHung = true
            card.accessProblem =
                """
                \(device.node) does not answer: its driver hangs; pull the card and plug it in again, or restart the box
                """
            return card
        }
        // The driver's answer counts. If this process may not ask the driver, udev's answer does.
        guard answer.captures ?? captures ?? false else { return nil }
        card.driver = answer.driver ?? card.driver
        card.modes = answer.modes
        return card
    }
}
