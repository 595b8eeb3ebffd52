import Glibc

/// A device on a USB bus.
package enum USBPort {
    /// `_IO('U', 20)` of linux/usbdevice_fs.h
    private static let reset: UInt = 0x5514

    /// Resets a device, as if it were unplugged and plugged in again. The call may take seconds.
    ///
    /// - Parameter node: `/dev/bus/usb/001/004`
    /// - Returns: Why the reset failed. `nil` after a success.
    package static func reset(_ node: String) -> String? {
        let descriptor = open(node, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return String(cString: strerror(errno)) }
        defer { close(descriptor) }
        return ioctl(descriptor, reset, 0) == 0 ? nil : String(cString: strerror(errno))
    }
}
