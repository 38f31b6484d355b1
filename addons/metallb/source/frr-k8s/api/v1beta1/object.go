package v1beta1

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group that the types belong to.
var GroupVersion = schema.GroupVersion{Group: "frrk8s.metallb.io", Version: "v1beta1"}

// AddToScheme makes the types known to a scheme.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &FRRConfiguration{}, &FRRConfigurationList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}

// DeepCopyObject makes FRRConfiguration a runtime.Object.
func (configuration *FRRConfiguration) DeepCopyObject() runtime.Object {
	return configuration.DeepCopy()
}

// DeepCopyObject makes FRRConfigurationList a runtime.Object.
func (list *FRRConfigurationList) DeepCopyObject() runtime.Object {
	return deepCopy(list)
}

// DeepCopy returns a copy that shares nothing with the original.
func (configuration *FRRConfiguration) DeepCopy() *FRRConfiguration {
	return deepCopy(configuration)
}

// DeepCopyInto overwrites target with a copy that shares nothing with the original.
func (spec *FRRConfigurationSpec) DeepCopyInto(target *FRRConfigurationSpec) {
	*target = *deepCopy(spec)
}

// deepCopy goes through JSON: every field has a tag, so nothing is lost, and no
// list of fields has to be kept in step with the types.
func deepCopy[T any](original *T) *T {
	if original == nil {
		return nil
	}
	text, err := json.Marshal(original)
	if err != nil {
		panic(fmt.Sprintf("type %T has a field without a JSON form: %v", original, err))
	}
	target := new(T)
	if err := json.Unmarshal(text, target); err != nil {
		panic(fmt.Sprintf("type %T does not read back its own JSON: %v", original, err))
	}
	return target
}
