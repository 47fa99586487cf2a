/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
/** The alert to take. */
export type AcknowledgeAlertInput = {
  /** The `version` you read: with another one now, nothing is changed and you get StaleVersion. */
  readonly expectedVersion?: number | null | undefined;
  /** The alert. */
  readonly id: string;
};

/** What happened to an alert. */
export type AlertEventKind =
  /** Somebody takes care of it. */
  | 'ACKNOWLEDGED'
  /** It was given to somebody, or to nobody. */
  | 'ASSIGNED'
  /** A file was attached. */
  | 'ATTACHMENT_ADDED'
  /** A file was removed. */
  | 'ATTACHMENT_REMOVED'
  /** Somebody wrote a note. */
  | 'COMMENTED'
  /** Somebody is looking for the cause. */
  | 'INVESTIGATING'
  /** It was opened. */
  | 'OPENED'
  /** It was not over: a new episode of the same alert. */
  | 'REOPENED'
  /** Its source said the same again; at most one such event a minute, with a count. */
  | 'REPEATED'
  /** It is over. */
  | 'RESOLVED'
  /** It is left in peace for a time. */
  | 'SNOOZED'
  /** A silence began to hold it. */
  | 'SUPPRESSED'
  /** The acknowledgement timed out: it needs somebody again. */
  | 'UNACKNOWLEDGED'
  /** A silence that held it ended. */
  | 'UNSUPPRESSED'
  /** Its source or a person changed what it says. */
  | 'UPDATED'
  /** Its snooze ended. */
  | 'WOKEN';

/** Which alerts are wanted. All conditions given must hold; one left out does not count, and null is a value of its own where the field says so. */
export type AlertFilter = {
  /** All of these hold, too. */
  readonly and?: ReadonlyArray<AlertFilter> | null | undefined;
  /** Assigned to this person; null for alerts of nobody. */
  readonly assignedTo?: string | null | undefined;
  /** Opened within. */
  readonly createdAt?: DateTimeRange | null | undefined;
  /** With this dedup key. */
  readonly dedupKey?: string | null | undefined;
  /** Whether somebody marked it as a false positive. */
  readonly falsePositive?: boolean | null | undefined;
  /** In this group; null for alerts of no group. */
  readonly groupId?: string | null | undefined;
  /** One of these alerts. */
  readonly ids?: ReadonlyArray<string> | null | undefined;
  /** Taken by this integration. */
  readonly integrationId?: string | null | undefined;
  /** Whether it is not resolved. */
  readonly isOpen?: boolean | null | undefined;
  /** Whose labels fulfil all of these. */
  readonly labels?: ReadonlyArray<LabelMatcherInput> | null | undefined;
  /** This does not hold. */
  readonly not?: AlertFilter | null | undefined;
  /** At least one of these holds, too; an empty list is no condition. */
  readonly or?: ReadonlyArray<AlertFilter> | null | undefined;
  /** Resolved within; open alerts never are. */
  readonly resolvedAt?: DateTimeRange | null | undefined;
  /** Every word of it stands somewhere in the title, the description or the service; case does not matter. At most 10 words. Not for subscriptions. */
  readonly search?: string | null | undefined;
  /** One of these; null among them stands for alerts without a service. */
  readonly serviceName?: ReadonlyArray<string | null | undefined> | null | undefined;
  /** One of these. */
  readonly severity?: ReadonlyArray<Severity> | null | undefined;
  /** Whether it is left in peace. */
  readonly snoozed?: boolean | null | undefined;
  /** One of these. */
  readonly source?: ReadonlyArray<string> | null | undefined;
  /** One of these. */
  readonly status?: ReadonlyArray<AlertStatus> | null | undefined;
  /** Whether a silence holds it. */
  readonly suppressed?: boolean | null | undefined;
  /** Of this team; null for alerts of no team. */
  readonly teamId?: string | null | undefined;
  /** True for alerts of nobody, false for alerts of anybody. */
  readonly unassigned?: boolean | null | undefined;
  /** Last changed within. */
  readonly updatedAt?: DateTimeRange | null | undefined;
};

/** Where an alert is in its life. */
export type AlertStatus =
  /** Somebody has seen it and takes care. */
  | 'ACKNOWLEDGED'
  /** It stands, and nobody has taken it. */
  | 'ACTIVE'
  /** Somebody is looking for the cause. */
  | 'INVESTIGATING'
  /** It is over. */
  | 'RESOLVED';

/** A range of time: `from` is within, `until` is not. An end left out is open. */
export type DateTimeRange = {
  /** The first time within. */
  readonly from?: string | null | undefined;
  /** The first time beyond. */
  readonly until?: string | null | undefined;
};

/** The kind of refusal, for programs; `message` is for people. */
export type ErrorCode =
  /** Another one has this name or address. */
  | 'ALREADY_EXISTS'
  /** Your role does not allow it. */
  | 'FORBIDDEN'
  /** The idempotency key was used for another input. */
  | 'IDEMPOTENCY_CONFLICT'
  /** The alert's status does not allow this move. */
  | 'ILLEGAL_MOVE'
  /** The address, password, code or refresh token is not right. */
  | 'INVALID_CREDENTIALS'
  /** A field's value is not acceptable; `path` names it. */
  | 'INVALID_INPUT'
  /** A newer open alert has the same dedup key. */
  | 'NEWER_ALERT_OPEN'
  /** No such thing, or not visible to you. */
  | 'NOT_FOUND'
  /** The server is full or its database is away; try again shortly. */
  | 'OVERLOADED'
  /** It changed since you read it. */
  | 'STALE_VERSION'
  /** Too many failed attempts; wait before the next. */
  | 'TOO_MANY_ATTEMPTS'
  /** Nobody is signed in, or the token is wrong, expired or revoked. */
  | 'UNAUTHENTICATED';

/** A condition on a label, as Alertmanager has them: `env="prod"`, `instance=~"db-.*"`. */
export type LabelMatcherInput = {
  /** The label's name. */
  readonly name: string;
  /** How the label is compared with the value. */
  readonly operator?: MatchOperator;
  /** The value, or the regular expression (RE2, anchored at both ends). A list cannot be filtered by flags, Unicode classes or word boundaries. */
  readonly value: string;
};

/** The address and password of a person. */
export type LoginInput = {
  /** The address the person signs in with; case does not matter. */
  readonly email: string;
  /** The password. */
  readonly password: string;
  /** The code of the second factor; not looked at for a person who has none. */
  readonly totpCode?: string | null | undefined;
};

/** How a label is compared with a matcher's value. A label that is absent counts as empty. */
export type MatchOperator =
  /** The label has this value. */
  | 'EQUAL'
  /** The label has another value. */
  | 'NOT_EQUAL'
  /** The whole of the label does not match this regular expression. */
  | 'NOT_REGEX'
  /** The whole of the label matches this regular expression. */
  | 'REGEX';

/** The refresh token of a session. */
export type RefreshSessionInput = {
  /** The newest refresh token. One that was used before ends the session, except within 10 seconds. */
  readonly refreshToken: string;
};

/** How bad it is, worst first. */
export type Severity =
  /** People are affected now; somebody must act at once. */
  | 'CRITICAL'
  /** It will soon be critical, or a part of it already is. */
  | 'HIGH'
  /** Good to know. */
  | 'LOW'
  /** It needs attention in working hours; also what a source that says nothing gets. */
  | 'MEDIUM';

/** Why a stream of events cannot go on from where its reader was. */
export type StreamResetReason =
  /** The cursor is older than what can be replayed. */
  | 'CURSOR_EXPIRED'
  /** The server's log is another one now: it was restored from a backup. */
  | 'LOG_RESTORED'
  /** The reader took events more slowly than they came; none is lost in the log. */
  | 'SLOW_CONSUMER';

export type SignInMutationVariables = Exact<{
  input: LoginInput;
}>;


export type SignInMutation = { readonly login:
    | { readonly __typename: 'Forbidden', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'InvalidCredentials', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'InvalidInput', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'LoginSuccess', readonly accessToken: string, readonly refreshToken: string, readonly expiresAt: string }
    | { readonly __typename: 'TooManyAttempts', readonly code: ErrorCode, readonly message: string }
   };

export type RefreshMutationVariables = Exact<{
  input: RefreshSessionInput;
}>;


export type RefreshMutation = { readonly refreshSession:
    | { readonly __typename: 'Forbidden', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'InvalidCredentials', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'InvalidInput', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'RefreshSessionSuccess', readonly accessToken: string, readonly refreshToken: string, readonly expiresAt: string }
   };

export type OpenAlertsQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
}>;


export type OpenAlertsQuery = { readonly alerts: { readonly nodes: ReadonlyArray<{ readonly id: string, readonly title: string, readonly severity: Severity, readonly status: AlertStatus, readonly serviceName: string | null, readonly version: number }>, readonly pageInfo: { readonly hasNextPage: boolean, readonly endCursor: string | null } } };

export type AcknowledgeMutationVariables = Exact<{
  input: AcknowledgeAlertInput;
}>;


export type AcknowledgeMutation = { readonly acknowledgeAlert:
    | { readonly __typename: 'AcknowledgeAlertSuccess', readonly alert: { readonly id: string, readonly title: string, readonly severity: Severity, readonly status: AlertStatus, readonly serviceName: string | null, readonly version: number } }
    | { readonly __typename: 'Forbidden', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'IllegalMove', readonly code: ErrorCode, readonly message: string, readonly current: string }
    | { readonly __typename: 'InvalidInput', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'NotFound', readonly code: ErrorCode, readonly message: string }
    | { readonly __typename: 'StaleVersion', readonly code: ErrorCode, readonly message: string }
   };

export type FollowSubscriptionVariables = Exact<{
  filter?: AlertFilter | null | undefined;
  after?: string | null | undefined;
}>;


export type FollowSubscription = { readonly alertEvents:
    | { readonly __typename: 'AlertEvent', readonly id: string, readonly cursor: string, readonly kind: AlertEventKind, readonly occurredAt: string, readonly alert: { readonly id: string, readonly title: string, readonly severity: Severity, readonly status: AlertStatus, readonly serviceName: string | null, readonly version: number } }
    | { readonly __typename: 'StreamReset', readonly reason: StreamResetReason, readonly resumeAfter: string }
   };

export type AlertLineFragment = { readonly id: string, readonly title: string, readonly severity: Severity, readonly status: AlertStatus, readonly serviceName: string | null, readonly version: number };

export const AlertLineFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"AlertLine"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Alert"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"severity"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"serviceName"}},{"kind":"Field","name":{"kind":"Name","value":"version"}}]}}]} as unknown as DocumentNode<AlertLineFragment, unknown>;
export const SignInDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"SignIn"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"LoginInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"login"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"LoginSuccess"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"accessToken"}},{"kind":"Field","name":{"kind":"Name","value":"refreshToken"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UserError"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}}]}}]}}]} as unknown as DocumentNode<SignInMutation, SignInMutationVariables>;
export const RefreshDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"Refresh"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"RefreshSessionInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"refreshSession"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"RefreshSessionSuccess"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"accessToken"}},{"kind":"Field","name":{"kind":"Name","value":"refreshToken"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UserError"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}}]}}]}}]} as unknown as DocumentNode<RefreshMutation, RefreshMutationVariables>;
export const OpenAlertsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"OpenAlerts"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"alerts"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"ObjectValue","fields":[{"kind":"ObjectField","name":{"kind":"Name","value":"isOpen"},"value":{"kind":"BooleanValue","value":true}}]}},{"kind":"Argument","name":{"kind":"Name","value":"orderBy"},"value":{"kind":"ObjectValue","fields":[{"kind":"ObjectField","name":{"kind":"Name","value":"field"},"value":{"kind":"EnumValue","value":"SEVERITY"}},{"kind":"ObjectField","name":{"kind":"Name","value":"direction"},"value":{"kind":"EnumValue","value":"DESC"}}]}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"AlertLine"}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"AlertLine"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Alert"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"severity"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"serviceName"}},{"kind":"Field","name":{"kind":"Name","value":"version"}}]}}]} as unknown as DocumentNode<OpenAlertsQuery, OpenAlertsQueryVariables>;
export const AcknowledgeDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"Acknowledge"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"AcknowledgeAlertInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"acknowledgeAlert"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"AcknowledgeAlertSuccess"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"alert"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"AlertLine"}}]}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"IllegalMove"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"current"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UserError"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"AlertLine"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Alert"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"severity"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"serviceName"}},{"kind":"Field","name":{"kind":"Name","value":"version"}}]}}]} as unknown as DocumentNode<AcknowledgeMutation, AcknowledgeMutationVariables>;
export const FollowDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"Follow"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"AlertFilter"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"alertEvents"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"AlertEvent"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"occurredAt"}},{"kind":"Field","name":{"kind":"Name","value":"alert"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"AlertLine"}}]}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"StreamReset"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reason"}},{"kind":"Field","name":{"kind":"Name","value":"resumeAfter"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"AlertLine"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Alert"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"severity"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"serviceName"}},{"kind":"Field","name":{"kind":"Name","value":"version"}}]}}]} as unknown as DocumentNode<FollowSubscription, FollowSubscriptionVariables>;