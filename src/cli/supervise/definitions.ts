import type { ServiceSpec, SupervisorOptions } from '../../supervisor/service-spec.js';

/** What a file says that is to run. */
export interface Definitions {
  readonly services: Readonly<Record<string, ServiceSpec>>;
  readonly options: SupervisorOptions;
  /** What was taken but is doubtful. */
  readonly warnings: readonly string[];
}
