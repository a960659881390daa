/** What publishing an experts' file did. */
export interface PublishedExpertFile {
  /** `s3://…` */
  source: string;
  sha256: string;
  /** digest of the file before; its own where nothing changed */
  replaced: string | null;
  /** where the file before is kept */
  former: string | null;
  changed: boolean;
  /** what an editor should know of the file */
  notes: string[];
}
