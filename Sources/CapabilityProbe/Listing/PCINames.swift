import Glibc

/// Names of PCI vendors and devices, from the list of pciutils or hwdata.
package enum PCINames {
    package static let places = ["/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids"]

    /// - Returns: `nil` if no list is installed, or no list contains the vendor.
    package static func find(vendor: UInt16, device: UInt16, in places: [String] = Self.places) -> (
        vendor: String, device: String?
    )? {
        for place in places {
            guard let file = fopen(place, "re") else { continue }
            defer { fclose(file) }
            var found: String?
            var line = [CChar](repeating: 0, count: 1024)
            var lines: [String] = []
            while fgets(&line, CInt(line.count), file) != nil {
                let text = String(
                    decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                if found == nil {
                    if text.hasPrefix(hex(vendor) + "  ") { found = text }
                } else if text.hasPrefix("\t") {
                    lines.append(text)
                } else if !text.hasPrefix("#") {
                    break
                }
            }
            if let found { return names(vendor: found, devices: lines, device: device) }
        }
        return nil
    }

    /// Reads the line of a vendor, `8086  Intel Corporation`, and the lines of its devices, `\t46a6  Alder Lake-P`.
    package static func names(vendor: String, devices: [String], device: UInt16) -> (vendor: String, device: String?) {
        let prefix = "\t" + hex(device) + "  "
        return (
            String(vendor.dropFirst(6)),
            devices.first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
        )
    }

    private static func hex(_ value: UInt16) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 4 - text.count) + text
    }
}
