import CUdev

/// A connection to udev's database. It owns the C handle, and frees it in its `deinit`.
final class Udev {
    let handle: OpaquePointer

    /// Opens a connection. `nil` if no memory is left.
    init?() {
        guard let handle = udev_new() else { return nil }
        self.handle = handle
    }

    deinit { udev_unref(handle) }

    /// Returns the devices of a subsystem, sorted by path.
    func devices(of subsystem: String) -> [UdevDevice] {
        guard let search = udev_enumerate_new(handle) else { return [] }
        defer { udev_enumerate_unref(search) }
        udev_enumerate_add_match_subsystem(search, subsystem)
        udev_enumerate_scan_devices(search)
        var found: [UdevDevice] = []
        var entry = udev_enumerate_get_list_entry(search)
        while let current = entry {
            if let device = udev_device_new_from_syspath(handle, udev_list_entry_get_name(current)) {
                found.append(UdevDevice(owning: device))
            }
            entry = udev_list_entry_get_next(current)
        }
        return found.sorted { $0.path < $1.path }
    }
}

/// A device of udev. It owns the C handle, and frees it in its `deinit`.
final class UdevDevice {
    private let handle: OpaquePointer

    /// Makes a device that owns the reference.
    init(owning handle: OpaquePointer) {
        self.handle = handle
    }

    deinit { udev_device_unref(handle) }

    /// The path of the device below `/sys`.
    var path: String { Self.text(udev_device_get_syspath(handle)) ?? "" }
    /// The last part of its path: `renderD128`.
    var name: String { Self.text(udev_device_get_sysname(handle)) ?? "" }
    /// `/dev/dri/renderD128`. `nil` for a device without a node.
    var node: String? { Self.text(udev_device_get_devnode(handle)) }
    var subsystem: String { Self.text(udev_device_get_subsystem(handle)) ?? "" }
    var driver: String? { Self.text(udev_device_get_driver(handle)) }
    /// The action of the event, if a monitor reported the device. `nil` otherwise.
    var action: String? { Self.text(udev_device_get_action(handle)) }

    func property(_ name: String) -> String? { Self.text(udev_device_get_property_value(handle, name)) }
    func attribute(_ name: String) -> String? { Self.text(udev_device_get_sysattr_value(handle, name)) }

    /// Returns the nearest ancestor in a subsystem and, if given, of a device type.
    func parent(_ subsystem: String, _ type: String? = nil) -> UdevDevice? {
        // The child owns its parent's reference, so this takes another reference.
        udev_device_get_parent_with_subsystem_devtype(handle, subsystem, type).flatMap { udev_device_ref($0) }.map {
            UdevDevice(owning: $0)
        }
    }

    /// Its direct parent.
    var parent: UdevDevice? {
        udev_device_get_parent(handle).flatMap { udev_device_ref($0) }.map { UdevDevice(owning: $0) }
    }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String? { pointer.map { String(cString: $0) } }
}
