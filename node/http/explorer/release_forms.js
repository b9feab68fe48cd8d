// Operations on releases, collateral, sessions and platforms: the fields of ledger.proto and their rules
// (docs/spec/formats.md). A test compares these tables with the .proto file.

import { hex } from "./bytes.js";
import { bytes, growing, isName, need, number, part, u32, u64, word } from "./fields.js";
import { schema } from "./wire.js";

const MAX_OPERATION = 20 * 1024;
const MAX_RELEASE = 2048;
const MAX_PART = 2 ** 31 - 1;
const WIDTHS = { 1: 32, 2: 48, 3: 48 };
export const PLATFORM_VOTES = { 1: "enrol", 2: "remove", 3: "take back" };
const NOTES = /^[ -~]{0,512}$/;

const ReleaseVersion = schema("ReleaseVersion", MAX_RELEASE, {
  1: u32("major"),
  2: u32("minor"),
  3: u32("patch"),
}, (version) => need(Math.max(version.major, version.minor, version.patch) <= MAX_PART,
  "a part of a version is at most 2147483647"));
const ReleaseMeasurement = schema("ReleaseMeasurement", MAX_RELEASE, {
  1: u32("platform"),
  2: bytes("measurement"),
}, (one) => need(WIDTHS[one.platform] === one.measurement.length, "a measurement has not its width"));
const EnclaveRelease = schema("EnclaveRelease", MAX_RELEASE, {
  1: word("name"),
  2: part("version", () => ReleaseVersion),
  3: part("measurements", () => ReleaseMeasurement, { repeated: true }),
  4: bytes("source_digest", 32),
  5: word("notes"),
  6: bytes("auditors", 20, { repeated: true }),
}, (release) => {
  ofRelease(release);
  const measured = release.measurements.map((one) => `${one.platform}${hex(one.measurement)}`);
  need(measured.length >= 1 && measured.length <= 16, "there are 1 to 16 measurements");
  need(measured.every((one, at) => at === 0 || measured[at - 1] < one), "measurements are not sorted");
  need(NOTES.test(release.notes), "notes are at most 512 printable ASCII characters");
  need(release.auditors.length >= 1 && release.auditors.length <= 16, "there are 1 to 16 auditors");
  growing(release.auditors, "auditors");
});

export const PublishRelease = schema("PublishRelease", MAX_OPERATION, {
  1: part("release", () => EnclaveRelease),
}, (published) => need(published.release !== null, "there is no release"));
export const EndorseRelease = schema("EndorseRelease", MAX_OPERATION, {
  1: word("name"),
  2: part("version", () => ReleaseVersion),
  3: bytes("release_digest", 32),
}, ofRelease);
export const RevokeRelease = schema("RevokeRelease", MAX_OPERATION, {
  1: word("name"),
  2: part("version", () => ReleaseVersion),
}, ofRelease);
export const RevokeSession = schema("RevokeSession", MAX_OPERATION, {
  1: bytes("session_id", 32),
  2: word("collection"),
}, (revoked) => need(revoked.collection === "" || isName(revoked.collection), "collection is no name"));
export const UpdateCollateral = schema("UpdateCollateral", MAX_OPERATION, {
  1: bytes("digest", 32),
});
export const VotePlatform = schema("VotePlatform", MAX_OPERATION, {
  1: bytes("platform_id", [16, 64]),
  2: number("vote"),
  3: u64("since"),
}, ({ platform_id: id, vote }) => {
  need(vote in PLATFORM_VOTES, "a vote is to enrol, to remove or to take back");
  need(id.some((byte) => byte !== 0), "platform_id is all zero");
});

function ofRelease(message) {
  need(isName(message.name) && message.name.length <= 64, "name is no name of a release");
  need(message.version !== null, "there is no version");
}
