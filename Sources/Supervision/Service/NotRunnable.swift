/// Something of the configuration that this version does not run.
package struct NotRunnable: Error, CustomStringConvertible {
    package var what: String
    package var description: String { what }
}
