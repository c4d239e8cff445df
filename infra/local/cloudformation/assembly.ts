/** A CloudFormation template with the defaults of absent sections filled in. */
export interface Template {
  readonly Resources: Readonly<
    Record<
      string,
      {
        readonly Type: string;
        readonly Properties: Readonly<Record<string, unknown>>;
        readonly DependsOn?: string | readonly string[] | undefined;
      }
    >
  >;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
  readonly Parameters: Readonly<Record<string, { readonly Default: unknown }>>;
  readonly Conditions: Readonly<Record<string, unknown>>;
}

/** A synthesised stack: its template and the folders of its assets. */
export interface Assembly {
  readonly name: string;
  readonly template: Template;
  /** The folder of an asset by its S3 key. */
  readonly assetFolder: (key: string) => string;
}
