/// Why a part of the configuration cannot run on this box now.
package struct NotRunnable: Error, CustomStringConvertible {
    package var what: String
    package var description: String { what }
}
