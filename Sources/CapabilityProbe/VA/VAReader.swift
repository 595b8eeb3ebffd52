import CVA
import Glibc

/// Asks a VA driver in this process. It needs a process of its own, because drivers crash and hang.
package enum VAReader {
    /// Why a driver did not answer, for display.
    package struct ReadError: Error, Sendable, CustomStringConvertible {
        package var description: String
    }

    private static let rateControls: [(CInt, String)] = [
        (VA_RC_CQP, "CQP"), (VA_RC_CBR, "CBR"), (VA_RC_VBR, "VBR"), (VA_RC_ICQ, "ICQ"), (VA_RC_QVBR, "QVBR"),
        (VA_RC_AVBR, "AVBR"),
    ]

    /// - Parameter node: `/dev/dri/renderD128`
    package static func read(_ node: String) throws(ReadError) -> VAReport {
        let descriptor = open(node, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw ReadError(description: "\(node): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        guard let display = vaGetDisplayDRM(descriptor) else {
            throw ReadError(description: "\(node) is not a VA display")
        }
        // libva prints where it looks for a driver. The result is enough.
        vaSetInfoCallback(display, nil, nil)
        vaSetErrorCallback(display, nil, nil)
        var major: CInt = 0
        var minor: CInt = 0
        let status = vaInitialize(display, &major, &minor)
        guard status == VA_STATUS_SUCCESS else {
            throw ReadError(description: "the VA driver does not start: \(String(cString: vaErrorStr(status)))")
        }
        defer { vaTerminate(display) }
        var report = VAReport(
            driver: vaQueryVendorString(display).map { String(cString: $0) } ?? "", encoders: [], processesVideo: false)
        for profile in profiles(display) {
            for entrypoint in entrypoints(display, profile) {
                if entrypoint == VAEntrypointVideoProc { report.processesVideo = true }
                guard entrypoint == VAEntrypointEncSlice || entrypoint == VAEntrypointEncSliceLP else { continue }
                report.encoders.append(encoder(display, profile, entrypoint))
            }
        }
        return report
    }

    private static func profiles(_ display: VADisplay) -> [VAProfile] {
        var count = vaMaxNumProfiles(display)
        guard count > 0, count < 1000 else { return [] }
        var list = [VAProfile](repeating: VAProfileNone, count: Int(count))
        guard vaQueryConfigProfiles(display, &list, &count) == VA_STATUS_SUCCESS, count > 0 else { return [] }
        return Array(list.prefix(Int(count)))
    }

    private static func entrypoints(_ display: VADisplay, _ profile: VAProfile) -> [VAEntrypoint] {
        var count = vaMaxNumEntrypoints(display)
        guard count > 0, count < 1000 else { return [] }
        var list = [VAEntrypoint](repeating: VAEntrypointVLD, count: Int(count))
        guard vaQueryConfigEntrypoints(display, profile, &list, &count) == VA_STATUS_SUCCESS, count > 0 else {
            return []
        }
        return Array(list.prefix(Int(count)))
    }

    private static func encoder(_ display: VADisplay, _ profile: VAProfile, _ entrypoint: VAEntrypoint)
        -> VAReport.Encoder
    {
        var attributes = [VAConfigAttribRateControl, VAConfigAttribMaxPictureWidth, VAConfigAttribMaxPictureHeight].map
        {
            VAConfigAttrib(type: $0, value: 0)
        }
        let isKnown =
            vaGetConfigAttributes(display, profile, entrypoint, &attributes, CInt(attributes.count))
            == VA_STATUS_SUCCESS
        let value = { (index: Int) -> UInt32? in
            isKnown && attributes[index].value != UInt32(VA_ATTRIB_NOT_SUPPORTED) ? attributes[index].value : nil
        }
        let controls = value(0) ?? 0
        return VAReport.Encoder(
            profile: String(cString: vaProfileStr(profile)), entrypoint: String(cString: vaEntrypointStr(entrypoint)),
            rateControls: rateControls.filter { controls & UInt32($0.0) != 0 }.map(\.1),
            mostWidth: value(1).map(Int.init), mostHeight: value(2).map(Int.init))
    }
}
