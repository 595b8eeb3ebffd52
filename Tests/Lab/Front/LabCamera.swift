/// A capture card that is not there: YUYV pictures, no sound.
public struct LabCamera: Sendable, Hashable {
    public var serial: String?
    /// The USB port, `1-2`.
    public var port: String
    /// The number of its node.
    public var number: Int
    public var width: Int
    public var height: Int
    public var rate: Int

    public init(serial: String? = "SN0001", port: String = "1-2", number: Int = 0, width: Int = 320, height: Int = 180, rate: Int = 30) {
        self.serial = serial
        self.port = port
        self.number = number
        self.width = width
        self.height = height
        self.rate = rate
    }

    public var node: String { "/dev/video\(number)" }
    /// udev's name of its port.
    public var path: String { "pci-0000:00:14.0-usb-0:\(port.split(separator: "-").last ?? ""):1.0" }

    var usb: String { "/sys/devices/pci0000:00/0000:00:14.0/usb1/\(port)" }
    var device: String { "\(usb)/\(port):1.0/video4linux/video\(number)" }

    /// For umockdev.
    var description: String {
        """
        P: \(usb.dropFirst(4))
        E: SUBSYSTEM=usb
        E: DEVTYPE=usb_device
        E: DRIVER=usb
        \(serial.map { "A: serial=\($0)" } ?? "A: product=Cam Link 4K")

        P: \(device.dropFirst(4))
        N: video\(number)=00
        E: DEVNAME=\(node)
        E: MAJOR=81
        E: MINOR=\(number)
        E: SUBSYSTEM=video4linux
        E: ID_V4L_CAPABILITIES=:capture:
        E: ID_V4L_PRODUCT=Cam Link 4K
        E: ID_PATH=\(path)
        \(serial.map { "E: ID_SERIAL_SHORT=\($0)" } ?? "E: ID_MODEL=Cam_Link_4K")
        E: ID_VENDOR_ID=0fd9
        E: ID_MODEL_ID=0066
        A: dev=81:\(number)
        A: name=Cam Link 4K

        """
    }
}
